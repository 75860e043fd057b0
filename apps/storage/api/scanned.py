"""The doors of scanning: bytes for the scanner, and what it said of them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from apps.storage import downloads
from apps.storage.dtos import UnsettledContent
from apps.storage.operations import settling
from bitvault.kernel.boundary import exposed
from bitvault.kernel.scanning import State


@exposed
def read_before_scan(*, blob_id: UUID, first_byte: int, limit_bytes: int) -> bytes:
    """Read bytes of a blob from one on, whatever scanning says of it: for the scanner, and for what is drawn anew and never shown itself.

    :raises BlobGone: the bytes are not there any more.
    :raises BlobDamaged: they have rotted, and are in quarantine.
    :raises StoreUnavailable: the store does not answer.
    """
    return downloads.read(blob_id=blob_id, first_byte=first_byte, limit_bytes=limit_bytes, by_scanner=True)


@exposed
def require_readable(*, blob_id: UUID) -> None:
    """Refuse a blob that the entered tenant's rule keeps from being read: for what counts or copies before anything is read.

    :raises ContentWithheld: it is being scanned, was found infected, or could not be scanned; one class for each.
    """
    settling.require_readable(blob_id)


@exposed
def settle_scan(*, content_hash: str, state: State) -> None:
    """Write what scanning says of a content to all blobs that have it. What may have been packed before it was found infected goes."""
    settling.settle(bytes.fromhex(content_hash), state)


@exposed
def find_scan_states(*, blob_ids: Collection[UUID]) -> dict[UUID, State]:
    """Tell how it stands with the scanning of blobs; unknown ones are left out."""
    return settling.find_states(blob_ids)


@exposed
def list_never_scanned(*, after: UUID | None, limit: int) -> list[UnsettledContent]:
    """List blobs that nobody has scanned, in the order of their ids, from behind one on."""
    return settling.list_never_scanned(after=after, limit=limit)


@exposed
def list_unsettled(*, before: datetime, limit: int) -> list[UnsettledContent]:
    """List contents that came before a moment and still wait for their scan, the oldest first."""
    return settling.list_unsettled(before=before, limit=limit)
