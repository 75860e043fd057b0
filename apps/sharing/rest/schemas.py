"""What requests about shares may say."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from apps.sharing.dtos import Grant, Principal, Received
from apps.sharing.errors import PrincipalUnfit
from bitvault.kernel.capabilities import RoleName
from bitvault.web.pagination import PageQuery
from bitvault.web.structs import Body, Query

Moment = Annotated[datetime, Meta(tz=True)]


CANDIDATES = 8
"""Candidates of one answer, if the request does not say: a list below a field."""

CANDIDATES_LIMIT = 50
"""Most candidates of one answer: who looks for more types more."""


class NamedShare(Body, frozen=True):
    """Who may do what, until when; without ``expires_at`` it never ends."""

    principal: Principal
    role: RoleName
    expires_at: Moment | None = None

    def to_grant(self) -> Grant:
        """Give it as the door takes it."""
        return Grant(principal=self.principal, role=self.role, expires_at=self.expires_at)


class PutShare(Body, frozen=True):
    """Who may do what, until when, and what they are told; a person gets a mail, unless ``notify`` is false."""

    principal: Principal
    role: RoleName
    expires_at: Moment | None = None
    message: str = ""
    notify: bool = True

    def to_grant(self) -> Grant:
        """Give it as the door takes it."""
        return Grant(
            principal=self.principal,
            role=self.role,
            expires_at=self.expires_at,
            message=self.message,
            notify=self.notify,
        )


class ReplaceShares(Body, frozen=True):
    """All shares that the node is to have; nobody gets a mail."""

    shares: list[NamedShare]


class ReadAccess(Query, frozen=True):
    """Of whom alone is told: `user:<id>` or `group:<id>`."""

    principal: Annotated[str, Meta(max_length=42)] | None = None

    def to_principal(self) -> Principal | None:
        """Give it as the door takes it.

        :raises PrincipalUnfit: it is neither of both forms.
        """
        if self.principal is None:
            return None
        kind, _, text = self.principal.partition(":")
        if kind not in ("user", "group"):
            raise PrincipalUnfit(type=kind)
        try:
            return Principal(type="user" if kind == "user" else "group", id=UUID(text))
        except ValueError as error:
            raise PrincipalUnfit(type=kind) from error


class SearchCandidates(Query, frozen=True):
    """A part of a name or an address; nothing finds the first ones by name."""

    q: Annotated[str, Meta(max_length=254)] = ""
    limit: Annotated[int, Meta(ge=1, le=CANDIDATES_LIMIT)] = CANDIDATES


class ChangeShare(Body, frozen=True):
    """Another role, another end (``null`` for none), or both."""

    role: RoleName | None = None
    expires_at: Moment | UnsetType | None = UNSET


class ListReceived(PageQuery, frozen=True):
    """Which part of the list; `favourite=true` for the caller's favourites alone, `sort=favourites` for these before all else."""

    favourite: bool = False
    sort: Literal["newest", "favourites"] = "newest"

    def to_wanted(self) -> Received:
        """Give it as the door takes it."""
        return Received(only_favourites=self.favourite, sort=self.sort)


class RequestAccess(Body, frozen=True):
    """What somebody wants to have, and what they say to whoever decides."""

    role: RoleName = "viewer"
    message: str = ""


class AnswerRequest(Body, frozen=True):
    """Whether somebody gets what they ask for; as another role, or until an end, if wanted."""

    granted: bool
    role: RoleName | None = None
    expires_at: Moment | None = None


class CreateShortcut(Body, frozen=True):
    """What the shortcut leads to, and what it is called; without ``name`` as the node, numbered where that is taken."""

    node_id: UUID
    name: str | None = None


class UpdateShortcut(Body, frozen=True):
    """Another name, another folder of one's own files, or both."""

    name: str | None = None
    folder_id: UUID | None = None
