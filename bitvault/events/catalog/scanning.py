"""What a scanner for malware says of content. Producer: ``apps/scanning``.

That a content is clean is told where it could not be read before; elsewhere it changes nothing for anybody.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MalwareFound(Event):
    """Something was found in a content, and nobody can read it; ``node_id`` is a file that has it, ``sender_id`` who brought that."""

    type: ClassVar[str] = "scanning.malware.found.v1"

    content_id: UUID
    content_hash: str
    blob_id: UUID
    size_bytes: int
    signature: str
    node_id: UUID | None
    name: str
    sender_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentQuarantined(Event):
    """The same find, for those who administer the tenant."""

    type: ClassVar[str] = "scanning.content.quarantined.v1"

    content_id: UUID
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentOpened(Event):
    """A content can be read now that could not before: ``state`` says whether it is ``clean``, or ``unscanned`` and let through."""

    type: ClassVar[str] = "scanning.content.opened.v1"

    content_hash: str
    blob_id: UUID
    size_bytes: int
    media_type: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentBlocked(Event):
    """A content cannot be scanned (``reason``), and the tenant lets nobody read what was not."""

    type: ClassVar[str] = "scanning.content.blocked.v1"

    content_hash: str
    blob_id: UUID
    size_bytes: int
    reason: str
    node_id: UUID | None
    name: str
    sender_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentReleased(Event):
    """An administrator lets a content be read in which something was found, and says why."""

    type: ClassVar[str] = "scanning.content.released.v1"

    content_id: UUID
    content_hash: str
    blob_id: UUID
    size_bytes: int
    media_type: str
    signature: str
    node_id: UUID | None
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDiscarded(Event):
    """An administrator has put all files that have an infected content into the trash."""

    type: ClassVar[str] = "scanning.content.discarded.v1"

    content_id: UUID
    node_id: UUID | None
    name: str
    trashed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChanged(Event):
    """The tenant has its content scanned in another way."""

    type: ClassVar[str] = "scanning.rule.changed.v1"

    mode: str
    unscanned: str
