"""What happens to public links, and through them. Producer: ``apps/links``.

What somebody does through a link has the link as its actor: ``actor_kind`` says so, ``actor_id`` is the link's id. No event holds a token,
a password or a slug.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from bitvault.events.message import Event

LinkKind = Literal["view", "download", "upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCreated(Event):
    """A node can be opened by whoever holds a link from now on, or from ``starts_at``."""

    type: ClassVar[str] = "links.link.created.v1"

    link_id: UUID
    node_id: UUID
    kind: LinkKind
    has_password: bool
    starts_at: datetime | None
    expires_at: datetime | None
    download_limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged(Event):
    """A link is not as it was, or goes on after it was ended; the fields say how it is now."""

    type: ClassVar[str] = "links.link.changed.v1"

    link_id: UUID
    node_id: UUID
    kind: LinkKind
    has_password: bool
    starts_at: datetime | None
    expires_at: datetime | None
    download_limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnded(Event):
    """Nobody can open a link any more."""

    type: ClassVar[str] = "links.link.ended.v1"

    link_id: UUID
    node_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOpened(Event):
    """Somebody has opened a link and was shown what it leads to; ``made_by`` is who made it."""

    type: ClassVar[str] = "links.link.opened.v1"

    actor_kind: Literal["link"] = "link"
    link_id: UUID
    node_id: UUID
    made_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRefused(Event):
    """Somebody has given a link a wrong password."""

    type: ClassVar[str] = "links.link.refused.v1"

    actor_kind: Literal["link"] = "link"
    link_id: UUID
    node_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDownloaded(Event):
    """Somebody may fetch the bytes of a version through a link; ``counted`` says whether it is one more of the link's downloads."""

    type: ClassVar[str] = "links.link.downloaded.v1"

    actor_kind: Literal["link"] = "link"
    link_id: UUID
    node_id: UUID
    version_id: UUID
    size_bytes: int
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceived(Event):
    """Somebody has sent a file through a link: it is in the link's folder."""

    type: ClassVar[str] = "links.file.received.v1"

    actor_kind: Literal["link"] = "link"
    link_id: UUID
    submission_id: UUID
    node_id: UUID
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionFinished(Event):
    """Somebody has sent what they wanted to send through a link; ``node_id`` is the link's folder, ``made_by`` who made the link.

    ``file_count`` and ``size_bytes`` are those that had not been told before.
    """

    type: ClassVar[str] = "links.submission.finished.v1"

    actor_kind: Literal["link"] = "link"
    link_id: UUID
    submission_id: UUID
    node_id: UUID
    made_by: UUID
    file_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnding(Event):
    """A link ends within a day; ``made_by`` is who made it. Nobody has done it: there is no actor."""

    type: ClassVar[str] = "links.link.ending.v1"

    link_id: UUID
    node_id: UUID
    made_by: UUID
    expires_at: datetime
