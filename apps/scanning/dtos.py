"""What passes through the doors of scanning."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.scanning import Mode, State, Unscanned

Reason = Literal["outage", "too_large", "failed", "damaged"]
"""Why a content has no verdict: the scanner is down, the file is larger than it looks at, it answers without one, the bytes have rotted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the tenant has its content scanned.

    ``mode``: ``off``; ``scan``, files can be read meanwhile; ``require``, they cannot. ``unscanned``: what becomes, where scanning is
    required, of files that cannot be scanned. ``has_scanner``: whether this installation has a scanner at all.
    """

    mode: Mode
    unscanned: Unscanned
    has_scanner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How it stands with the scanning of a file; ``is_readable`` by the tenant's rule."""

    node_id: UUID
    version_id: UUID
    state: State
    is_readable: bool
    reason: Reason | None = None
    signature: str | None = None
    scanned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scans:
    """How it stands with some files. Nodes that are no files, or that the caller may not see, are left out."""

    items: list[Scan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """How many files went into the trash, and how many stay because somebody has locked them."""

    trashed_count: int
    locked_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A content in which something was found; ``name`` is what a file with it was called then."""

    id: UUID
    state: Literal["infected", "released"]
    signature: str
    name: str
    size_bytes: int
    node_id: UUID | None
    sender_id: UUID | None
    found_at: datetime
    released_at: datetime | None
    released_by: UUID | None
    release_reason: str
