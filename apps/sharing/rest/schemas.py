"""What requests about shares may say."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from apps.sharing.dtos import Grant, Principal
from bitvault.kernel.capabilities import RoleName
from bitvault.web.structs import Body

Moment = Annotated[datetime, Meta(tz=True)]


class PutShare(Body, frozen=True):
    """Who may do what, until when; without ``expires_at`` it never ends."""

    principal: Principal
    role: RoleName
    expires_at: Moment | None = None

    def to_grant(self) -> Grant:
        """Give it as the door takes it."""
        return Grant(principal=self.principal, role=self.role, expires_at=self.expires_at)


class ReplaceShares(Body, frozen=True):
    """All shares that the node is to have."""

    shares: list[PutShare]


class ChangeShare(Body, frozen=True):
    """Another role, another end (``null`` for none), or both."""

    role: RoleName | None = None
    expires_at: Moment | UnsetType | None = UNSET
