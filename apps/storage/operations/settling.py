"""What a scanner for malware said of a content, on all blobs that have it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from apps.storage import dtos, withholding
from apps.storage.models import Archive, Blob, ScanState
from apps.storage.queries import READABLE
from bitvault.kernel import clock, db
from bitvault.kernel.scanning import State


def settle(content_hash: bytes, state: State) -> None:
    """Write a state to all blobs of a content; once more, it changes nothing.

    Nobody knows which archives have an infected file in them, and each is good for a day at most and made again in a minute: all that were
    begun before end.
    """
    with db.write_transaction():
        changed = Blob.objects.filter(content_hash=content_hash).exclude(scan_state=state).update(scan_state=state)
        if changed and state == "infected":
            now = clock.now()
            Archive.objects.filter(expires_at__gt=now).update(expires_at=now)


def find_states(blob_ids: Collection[UUID]) -> dict[UUID, State]:
    """Tell the states of blobs."""
    with db.read_transaction():
        return dict(Blob.objects.filter(id__in=blob_ids).values_list("id", "scan_state"))


def require_readable(blob_id: UUID) -> None:
    """Refuse a withheld blob; one that is not there is for others to refuse."""
    state = find_states([blob_id]).get(blob_id)
    if state is not None:
        withholding.require_readable(state)


def list_never_scanned(*, after: UUID | None, limit: int) -> list[dtos.UnsettledContent]:
    """List unscanned blobs in the order of their ids."""
    blobs = Blob.objects.filter(scan_state=ScanState.UNSCANNED, state__in=READABLE).order_by("id")
    if after is not None:
        blobs = blobs.filter(id__gt=after)
    with db.read_transaction():
        found = list(blobs.values_list("id", "content_hash", "size_bytes")[:limit])
    return [dtos.UnsettledContent(blob_id, bytes(digest).hex(), size_bytes) for blob_id, digest, size_bytes in found]


def list_unsettled(*, before: datetime, limit: int) -> list[dtos.UnsettledContent]:
    """List contents whose blobs were written before a moment and wait for their scan."""
    waiting = Blob.objects.filter(scan_state=ScanState.SCANNING, created_at__lt=before, state__in=READABLE)
    with db.read_transaction():
        found = list(waiting.order_by("created_at").values_list("id", "content_hash", "size_bytes")[:limit])
    return [dtos.UnsettledContent(blob_id, bytes(digest).hex(), size_bytes) for blob_id, digest, size_bytes in found]
