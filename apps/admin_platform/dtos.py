"""What the doors of administration give."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from bitvault.kernel.outbound.failures import Failure

EXPORT_LIMIT = 10_000
"""Lines of one page of an export: seconds of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries of the log: all that is given holds together, ``None`` filters nothing. ``end`` is exclusive."""

    actor_ids: Collection[UUID] | None = None
    types: Collection[str] | None = None
    """One of which an entry's type is; ``files.*`` stands for all that begin so."""
    node_id: UUID | None = None
    address: str | None = None
    begin: datetime | None = None
    end: datetime | None = None


EVERYTHING = AuditFilter()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the audit log. ``hash`` and ``previous_hash`` are lower-case hexadecimal SHA-256."""

    number: int
    seq: int | None
    event_id: UUID
    type: str
    occurred_at: datetime
    actor_id: UUID | None
    node_id: UUID | None
    address: str
    device_id: UUID | None
    request_id: str
    payload: dict[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the log, newest first, true as of a number of the stream."""

    items: Sequence[AuditEntry]
    next_cursor: str | None
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class AuditExport:
    """A page of the log in the order of the chain, as JSON lines or as CSV, true as of a number of the stream.

    ``last_number`` is that of the last line, or of the entry before an empty page: the next page begins ``after`` it.
    """

    lines: bytes
    last_number: int
    has_more: bool
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class AuditAnchor:
    """What the installation has signed of the chain: at ``anchored_at`` its entry ``number`` had this hash.

    ``signature`` is Ed25519 over ``bitvault.audit.anchor.v1``, a zero byte, and canonical JSON of the other fields and ``tenant_id``.
    ``previous`` is SHA-256 over what the anchor before signed and its signature. Bytes are lower-case hexadecimal.
    """

    index: int
    number: int
    hash: str
    anchored_at: datetime
    previous: str
    public_key: str
    signature: str


@dataclass(frozen=True, slots=True)
class AuditKey:
    """A public key (Ed25519, hexadecimal) with which anchors were signed, and from which entry to which."""

    public_key: str
    is_current: bool
    first_number: int | None
    last_number: int | None


@dataclass(frozen=True, slots=True)
class AnchorStatus:
    """The last anchor, and whether its signature is good and the log still has the entry that it signs."""

    last: AuditAnchor | None
    is_verified: bool


@dataclass(frozen=True, slots=True)
class AnchorTurn:
    """How far the copies of anchors in the locked bucket are, over all tenants, as the last turn left them.

    ``failure`` is what stopped it: ``away``, ``refused``, ``not_locked`` or ``differs``. Late is what waits or fails for long.
    """

    place: str
    is_late: bool
    finished_at: datetime | None = None
    waiting_count: int = 0
    waiting_since: datetime | None = None
    failing_since: datetime | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What recomputing the chain found: ``broken_at`` is the first entry that does not fit, ``head_hash`` what to note elsewhere.

    ``anchor_count`` anchors were compared with the chain and their signatures verified.
    """

    intact: bool
    entry_count: int
    broken_at: int | None
    reason: str | None
    head_number: int
    head_hash: str
    as_of_seq: int
    anchor_count: int = 0
    last_anchored_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExport:
    """Where the audit log is sent on to, and how far that has come.

    ``sent_number`` is the last entry that was taken, ``backlog_count`` how many have not been. ``last_failure`` is what was wrong with the
    last try, empty after one that was taken; ``last_status`` what an HTTPS collector answered. ``told_at`` is when administrators were told
    that it fails.
    """

    id: UUID
    url: str
    has_secret: bool
    description: str
    enabled: bool
    sent_number: int
    backlog_count: int
    failing_since: datetime | None
    next_try_at: datetime | None
    told_at: datetime | None
    last_failure: Failure
    last_status: int | None
    last_success_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemWish:
    """How a new SIEM export is to be."""

    url: str
    secret: str = ""
    description: str = ""
    from_number: int | None = None


@dataclass(frozen=True, slots=True)
class SiemTest:
    """What became of a test."""

    is_taken: bool
    failure: Failure
    status: int | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature flag as it holds for the caller."""

    key: str
    description: str
    """What it does, in the language of whoever asks."""
    kind: Literal["boolean", "number", "text", "variant"]
    value: bool | int | str
    is_yours: bool
    """Whether administrators of the vault may choose."""
    chosen: bool | int | str | None
    """What they have chosen; null: nothing."""
    variants: Sequence[str]


Trouble = Literal["unknown", "unread", "ended"]


@dataclass(frozen=True, slots=True)
class FlagStatus:
    """A flag as operators see it. ``kind`` is ``None`` where the code declares no such flag any more."""

    key: str
    kind: str | None
    owner: str
    ends: date | None
    description: str
    default: bool | int | str | None
    value: bool | int | str | None
    rules: Sequence[Any]
    is_forced: bool
    version: int
    last_read_on: date | None
    troubles: Sequence[Trouble]


ConfigTrouble = Literal["unknown", "unfit", "unreadable"]


@dataclass(frozen=True, slots=True)
class ConfigStatus:
    """A setting as operators see it. Values are as JSON has them; a secret has none here."""

    key: str
    description: str
    owner: str
    variable: str
    """The environment variable that the default comes from."""
    schema: dict[str, Any]
    is_secret: bool
    is_set: bool
    """Whether operators have decided it; else its default holds."""
    value: Any
    """What holds."""
    default: Any
    version: int
    changed_at: datetime | None
    troubles: Sequence[ConfigTrouble]


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A setting as it was from ``changed_at`` until its next version; a secret's value is not given."""

    version: int
    value: Any
    is_set: bool
    changed_at: datetime
    changed_by: UUID | None
    note: str
