"""What happens to shares: who may do what with a node. Producer: ``apps/sharing``.

A share is inherited by all below its node. A principal of the kind ``email`` is an address that is invited (``principal_id`` is the
invitation) and reaches nothing until it has come. Which node somebody reaches is told by their shares and by the tree, never by one event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from bitvault.events.message import Event

PrincipalKind = Literal["user", "group", "everyone", "link", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareGranted(Event):
    """A principal may do something with a node from now on; ``principal_id`` is ``None`` for everyone in the tenant."""

    type: ClassVar[str] = "sharing.share.granted.v1"

    share_id: UUID
    node_id: UUID
    principal_kind: PrincipalKind
    principal_id: UUID | None
    role: str
    capabilities: Sequence[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChanged(Event):
    """What a principal may do with a node, or until when, is not as it was; the fields say how it is now."""

    type: ClassVar[str] = "sharing.share.changed.v1"

    share_id: UUID
    node_id: UUID
    principal_kind: PrincipalKind
    principal_id: UUID | None
    role: str
    capabilities: Sequence[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRevoked(Event):
    """A share has ended before its time, by whoever may end it or by the principal who left it."""

    type: ClassVar[str] = "sharing.share.revoked.v1"

    share_id: UUID
    node_id: UUID
    principal_kind: PrincipalKind
    principal_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareExpired(Event):
    """The time of a share is over. Its right has ended by the clock; this tells whoever waits for news."""

    type: ClassVar[str] = "sharing.share.expired.v1"

    share_id: UUID
    node_id: UUID
    principal_kind: PrincipalKind
    principal_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLeft(Event):
    """Somebody has left a share that came to them with others, by a group or with everyone: it gives them nothing any more."""

    type: ClassVar[str] = "sharing.share.left.v1"

    share_id: UUID
    node_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRejoined(Event):
    """Somebody has taken back a share that they had left."""

    type: ClassVar[str] = "sharing.share.rejoined.v1"

    share_id: UUID
    node_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequested(Event):
    """Somebody asks for access to a node; ``keeper_id`` is whose tree it lies in, ``None`` for a team folder of administrators."""

    type: ClassVar[str] = "sharing.access.requested.v1"

    request_id: UUID
    node_id: UUID
    keeper_id: UUID | None
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAnswered(Event):
    """A request for access was answered; where it was granted, a share says with what."""

    type: ClassVar[str] = "sharing.access.answered.v1"

    request_id: UUID
    node_id: UUID
    user_id: UUID
    granted: bool
