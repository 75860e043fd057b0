"""What the doors of sync give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.capabilities import CapabilityName
from bitvault.kernel.names import PortabilityProblem

Resolution = Literal["both", "original", "copy"]
"""How a conflict is settled: both files stay, or the one named does and the other goes into the trash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Something that keeps a copy of what a person can reach; ``seq`` is what it has acknowledged last."""

    id: UUID
    name: str
    platform: str
    created_at: datetime
    seq: int
    acknowledged_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedDevices:
    """Devices of a person, and the number up to which changes can be read."""

    items: Sequence[Device]
    head_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredDevice(Device):
    """A new device with its first cursor: it knows nothing yet, so the first changes are all that there is."""

    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedLock:
    """Who alone may change a file until ``expires_at``: a device lets nobody else begin, and tries again later with what was changed."""

    holder_id: UUID
    holder_name: str
    device: str
    reason: str
    locked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedNode:
    """A folder or a file as a device is told of it, with the fields that it has everywhere."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    parent_id: UUID | None
    revision: int
    size_bytes: int | None
    media_type: str | None
    content_hash: str | None
    version_id: UUID | None
    created_at: datetime
    modified_at: datetime
    client_modified_at: datetime | None
    created_by: UUID | None
    lock: SyncedLock | None = None
    tags: Sequence[str]
    trashed_at: datetime | None
    capabilities: Sequence[CapabilityName]
    name_problems: Sequence[PortabilityProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What holds for a node now. ``removed``: the device drops it with all below it, and is told no more than its id."""

    seq: int
    op: Literal["upsert", "removed"]
    node_id: UUID
    node: SyncedNode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A page of changes. Where ``has_more`` is false the device's tree is whole, as of ``head_seq``."""

    items: Sequence[Change]
    cursor: str
    has_more: bool
    head_seq: int
    as_of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPage:
    """A page of a snapshot, parents first. The last page has no ``next_cursor`` but the ``cursor`` from which changes are read on."""

    items: Sequence[SyncedNode]
    next_cursor: str | None
    cursor: str | None
    as_of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """How far a device has acknowledged, and how far it could."""

    seq: int
    head_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two edits that met: ``node`` is the copy that keeps the later one, ``original`` the file beside it (``None`` once it is gone).

    ``made_on`` is what the device that brought the copy is called now.
    """

    id: UUID
    node: SyncedNode
    original: SyncedNode | None
    made_by: UUID | None
    made_on: str | None
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRevisions:
    """In which revisions somebody has seen the two files of a conflict, as far as they say."""

    original: int | None = None
    copy: int | None = None


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """A page of open conflicts, newest first, true as of a number of the stream."""

    items: Sequence[Conflict]
    next_cursor: str | None
    as_of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Opens one socket, once, until ``expires_at``."""

    ticket: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHolder:
    """Who asked for a ticket, by which credential, and for which device."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID | None
    token_id: UUID | None
    device_id: UUID | None
