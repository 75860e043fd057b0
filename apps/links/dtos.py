"""What the doors of links give and take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.actor import Actor

LinkKindName = Literal["view", "download"]
LinkState = Literal["open", "not_started", "expired", "used_up", "ended"]
ActionName = Literal["opened", "refused", "downloaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWish:
    """How a new link is to be; what is ``None`` it does not have."""

    kind: LinkKindName
    name: str = ""
    slug: str | None = None
    password: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    download_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as those see it who share its node. Its address is told once, by the answer that made it; a ``slug`` is the end of it."""

    id: UUID
    node_id: UUID
    kind: LinkKindName
    name: str
    slug: str
    has_password: bool
    starts_at: datetime | None
    expires_at: datetime | None
    download_limit: int | None
    download_count: int
    state: LinkState
    created_by: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink(Link):
    """A link that was made just now, with its address."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedNode:
    """What is shown of a node in a list of links."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkItem:
    """A link with its node."""

    link: Link
    node: LinkedNode


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAccess:
    """Something that a visitor did. ``visitor`` tells visitors of one link apart; ``counted`` says that it is one of its downloads."""

    id: UUID
    action: ActionName
    accessed_at: datetime
    node_id: UUID
    version_id: UUID | None
    visitor: str
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNode:
    """What a visitor is told of a node."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    size_bytes: int | None
    media_type: str | None
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLink:
    """What whoever holds a link is told of it. While it is ``locked`` the password has to be given first, and ``node`` is not told."""

    kind: LinkKindName
    tenant_name: str
    shared_by: str
    expires_at: datetime | None
    downloads_left: int | None
    has_password: bool
    locked: bool
    node: PublicNode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicChildren:
    """A page of what lies in a folder, as a visitor sees it."""

    items: Sequence[PublicNode]
    next_cursor: str | None
    total_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """What the page of a link shows: the path from the link's own node down, and of a folder what lies in it."""

    link: PublicLink
    path: Sequence[PublicNode]
    children: PublicChildren | None
    counts_visitors: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """The proof that somebody knows a link's password."""

    unlock_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Somebody who was let in by a link: as whom they act, and whether the link counts its visitors."""

    link_id: UUID
    actor: Actor
    counts_visitors: bool
