"""What the doors of sharing give and take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from apps.files.dtos import Lock
from bitvault.kernel.capabilities import CapabilityName, RoleName

PrincipalType = Literal["user", "group", "everyone", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is to have a share: a user or a group by ``id``, somebody by ``email``, or everyone in the tenant.

    An address that is no member's is invited as a guest.
    """

    type: Literal["user", "group", "everyone", "email"]
    id: UUID | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a principal is to have on a node, until ``expires_at`` (never ends without it)."""

    principal: Principal
    role: RoleName
    expires_at: datetime | None = None
    message: str = ""
    """What the giver says to whoever receives it: lines of text."""
    notify: bool = True
    """Whether a person who has not had it is told by mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePrincipal:
    """Who has a share. ``name`` is what to call them, ``email`` a person's address.

    ``email`` is the type of an address that is invited and has not come yet; ``is_guest``: it, or the user, is no member of the tenant.
    """

    type: PrincipalType
    id: UUID | None
    name: str
    email: str | None = None
    is_guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one principal may do with a node and all below it."""

    id: UUID
    node_id: UUID
    principal: SharePrincipal
    role: str
    capabilities: Sequence[CapabilityName]
    expires_at: datetime | None
    granted_by: UUID
    granted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedNode:
    """What is shown of a node in a list of shares."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    size_bytes: int | None
    media_type: str | None
    modified_at: datetime
    capabilities: Sequence[CapabilityName]
    lock: Lock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedItem:
    """A share with its node, and the person who gave it (``None`` when they have left the tenant)."""

    share: Share
    node: SharedNode
    granted_by: SharePrincipal | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A row in a folder of somebody's own tree that leads to what others share with them.

    Without ``node`` it is broken: what it leads to is out of reach at this moment. ``name`` is its own.
    """

    id: UUID
    folder_id: UUID
    node_id: UUID
    name: str
    node: SharedNode | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Which of what others have shared is listed, and in which order: newest first, or the reader's favourites before all else."""

    only_favourites: bool = False
    sort: Literal["newest", "favourites"] = "newest"


AccessSource = Literal["owner", "administrators", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPlace:
    """A folder by whose shares somebody reaches what lies in it; without a name where the reader does not see it."""

    id: UUID
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """By what somebody reaches a node: it is their own tree, they administer the tenant of a team folder, or a share.

    ``principal`` is ``None`` for administrators, who are told by their office. ``through`` is the folder that the share stands on, ``None``
    for the node itself.
    """

    source: AccessSource
    principal: SharePrincipal | None
    role: str
    capabilities: Sequence[CapabilityName]
    share: Share | None = None
    through: AccessPlace | None = None


WhyNot = Literal["nothing_shared", "left", "deactivated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalAccess:
    """What one person, or everybody in a group, may do with a node.

    ``limited_by_role``: shares give more, but the person is a viewer in the tenant. ``why_not``: why they reach nothing; a share to them,
    to a group of theirs or to everyone would change ``nothing_shared``, themselves taking back what they have ``left``, reactivating them
    ``deactivated``.
    """

    principal: SharePrincipal
    capabilities: Sequence[CapabilityName]
    limited_by_role: bool = False
    why_not: WhyNot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAccess:
    """Who reaches a node, and by what; ``asked`` and only what applies to them, where one principal was asked for.

    ``may_share``: whether the reader may share it, by what they have there and by the tenant's policies.
    """

    node: SharedNode
    is_root: bool
    in_team_folder: bool
    may_share: bool
    items: Sequence[AccessEntry]
    asked: PrincipalAccess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Who can be given a share, as a text finds them."""

    items: Sequence[SharePrincipal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """With whom a node is shared, in short: how many, the names of the first of them, and whether everyone is among them."""

    node_id: UUID
    count: int
    names: Sequence[str]
    with_everyone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """Somebody asks for access to a node that the reader may share; ``share_id`` is told by the answer that gives it."""

    id: UUID
    node: SharedNode
    requester: SharePrincipal
    role: RoleName
    message: str
    asked_at: datetime
    share_id: UUID | None = None
