"""What happens to bytes. Producer: ``apps/storage``.

That a blob came into use is told by ``files.version.committed``, that it went out of use by ``files.node.purged``; its end is told here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadExpired(Event):
    """An upload that nobody finished has come to its end; ``actor_id`` is who had begun it."""

    type: ClassVar[str] = "storage.upload.expired.v1"

    upload_id: UUID
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCanceled(Event):
    """An operator (``actor_id``) has ended an upload that ``sender_id`` had begun."""

    type: ClassVar[str] = "storage.upload.canceled.v1"

    upload_id: UUID
    sender_id: UUID
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobsCollected(Event):
    """Bytes that no version holds any more were deleted from the object store."""

    type: ClassVar[str] = "storage.blobs.collected.v1"

    blob_ids: Sequence[UUID]
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlaced(Event):
    """An operator (``actor_id``; ``None``: a command) has new bytes of this tenant kept in another object store."""

    type: ClassVar[str] = "storage.tenant.placed.v1"

    store_id: UUID | None
    """``None``: the installation's own."""
    store: str
    """Its name then; empty: the installation's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStarted(Event):
    """An operator (``actor_id``; ``None``: a command) has begun to move this tenant's objects to another store."""

    type: ClassVar[str] = "storage.move.started.v1"

    move_id: UUID
    store: str
    """Its name then; empty: the installation's own."""
    object_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEnded(Event):
    """The move of this tenant's objects is done, or was canceled by an operator (``actor_id``) before it had switched."""

    type: ClassVar[str] = "storage.move.ended.v1"

    move_id: UUID
    was_canceled: bool
    left_count: int
