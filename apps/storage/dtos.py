"""What storage's doors take and give."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

UPLOAD_LIFETIME = timedelta(hours=72)
"""How long an attempt may take: over a weekend, so that work left on Friday is resumed on Monday. Until then it keeps its room reserved."""

COMMITTED_MEMORY = timedelta(days=30)
"""How long an attempt that has ended is remembered, so that a repeated commit still gets its answer; then its row goes."""

SIGN_LIMIT = 100
"""Parts that are signed in one call: 8 ms of signing, 60 kB of answer, 800 MiB of file."""


UploadStateName = Literal["started", "completing", "committed", "aborted", "expired"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an upload and what the client has to do about it.

    ``send``: PUT the bytes to ``url`` with exactly ``headers`` and exactly ``size_bytes`` of body. ``present``: nothing, the store has
    these bytes or copies them itself. ``stored``: nothing, this upload has brought them.
    """

    number: int
    state: Literal["send", "present", "stored"]
    size_bytes: int
    sha256: str
    method: Literal["PUT"] | None = None
    url: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """An attempt to bring a file."""

    id: UUID
    state: UploadStateName
    size_bytes: int
    part_size_bytes: int
    part_count: int
    parts: list[Part]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """A file of one part that is to come, announced by its hash; the fields are those of ``start_upload``."""

    id: UUID
    size_bytes: int
    sha256: str
    media_type: str
    destination: dict[str, Any]
    base_blob_id: UUID | None
    known_blob_id: UUID | None
    client_modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verified:
    """Bytes that the store holds and that are what was announced; ``committed`` when the attempt has come to its end before."""

    upload_id: UUID
    blob_id: UUID
    size_bytes: int
    content_hash: str
    media_type: str
    destination: dict[str, Any]
    client_modified_at: datetime | None
    committed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadInFlight:
    """An attempt that has not come to its end, as operators see it: it keeps its room until ``expires_at``.

    ``arrived_count``: parts that the store holds, or that need not travel; ``None`` where the store does not answer.
    """

    id: UUID
    user_id: UUID
    is_completing: bool
    size_bytes: int
    part_count: int
    arrived_count: int | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InFlight:
    """How many attempts of a tenant have not come to their end, and what they bring when all of them do."""

    count: int
    size_bytes: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Aborted:
    """An attempt that was given up, and whether its bytes were verified by then."""

    was_verified: bool
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Download:
    """A URL that gives the bytes to whoever holds it, for a short while."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewDerived:
    """Something small that was made of content, by the name under which it is asked for."""

    name: str
    media_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file or (without a blob) a folder that goes into an archive under a path."""

    path: str
    blob_id: UUID | None
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class KeptArchive:
    """An archive that was asked for. ``purpose`` is what it was asked for with; ``missing_count`` is that of files gone or damaged."""

    id: UUID
    purpose: dict[str, Any]
    size_bytes: int
    is_ready: bool
    expires_at: datetime
    missing_count: int = 0


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """The disk of an embedded store, in bytes."""

    free_bytes: int
    """What the file system has left."""
    floor_bytes: int
    """What uploads leave free."""
    announced_bytes: int
    """What uploads that are on their way may still take."""

    @property
    def is_low(self) -> bool:
        """Whether uploads are refused, however small they are."""
        return self.free_bytes <= self.floor_bytes


@dataclass(frozen=True, slots=True)
class StoreChecks:
    """How the runs over the object store stand, over several tenants."""

    oldest_at: dict[str, datetime]
    """By kind of run: when the tenant that came to its end longest ago did. A kind that never ran is left out."""
    stopped_count: int
    """Tenants whose last run of some kind was stopped by a brake or failed."""
    findings: dict[str, int]
    """What the last days' runs found, by kind of finding."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a kind over some tenant's bytes that did, or found, something."""

    kind: str
    """``gc``, ``reconcile`` or ``scrub``."""
    state: str
    tenant_id: UUID
    started_at: datetime
    finished_at: datetime | None
    reason: str
    """Why it stopped, when it did."""


@dataclass(frozen=True, slots=True)
class SweepBacklog:
    """What the sweeper of uploads has left undone, over several tenants."""

    overdue_count: int
    """Abandoned attempts whose room and bytes are still held past their time."""
    uncollected_count: int
    """Blobs that nothing holds and that lie in the store an hour longer than they should."""
    oldest_swept_at: datetime | None
    """When the tenant that was swept longest ago was; ``None`` when none ever was."""


@dataclass(frozen=True, slots=True)
class UnsettledContent:
    """A content that waits for its scan."""

    blob_id: UUID
    content_hash: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """An object store as operators see it; without its secret."""

    id: UUID | None
    """``None``: the installation's own."""
    name: str
    """Empty: the installation's own."""
    public_url: str
    """Where pages send files; with the bucket."""
    is_fit: bool | None
    """What its last test came to; ``None``: it was never tested."""
    answers_at: str = ""
    """Endpoint, bucket and prefix."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a tenant has in one store."""

    store: StoreFacts
    is_current: bool
    """Whether new bytes go there."""
    object_count: int
    size_bytes: int
    in_flight_count: int
    """Uploads that began there and have not come to their end."""


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What a move would bring to a store."""

    object_count: int
    size_bytes: int
    on_their_way_count: int
    """Uploads that began elsewhere and end there; their objects follow."""


@dataclass(frozen=True, slots=True)
class MoveStatus:
    """How a move stands."""

    store_name: str
    """Empty: the installation's own."""
    state: Literal["copying", "switched", "done", "canceled"]
    total_count: int
    total_bytes: int
    copied_count: int
    copied_bytes: int
    left_count: int
    """Objects that could not be copied: missing or damaged."""
    started_at: datetime
    switched_at: datetime | None
    finished_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What moves have left in stores, for the way back and for old URLs."""

    object_count: int
    size_bytes: int
    until: datetime | None
    """When the last of it is deleted."""
