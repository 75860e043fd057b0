"""Deleting what a move has left in the old store, or brought to one that it never switched to.

Marked first, in a transaction: a move that begins meanwhile makes use of what is not marked, and waits for the rest to be gone.
"""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.storage import provider
from apps.storage.models import Blob, StoreCopy
from apps.storage.operations import holding
from apps.storage.queries import READABLE
from bitvault.kernel import clock, db

BATCH = 500


def is_anything_due() -> bool:
    """Tell whether a copy is to be deleted (inside a transaction)."""
    return _due().exists()


def collect() -> tuple[int, int]:
    """Delete the copies of the entered tenant whose time is over, or whose blob has gone; returns how many objects and bytes."""
    count = size_bytes = 0
    while not holding.is_held():  # a backup that is being taken may read them
        with db.write_transaction():
            batch = list(_due().select_for_update(of=("self",)).order_by("id")[:BATCH])
            StoreCopy.objects.filter(id__in=[row.id for row in batch]).update(verified_at=None, kept_until=clock.now())
        for store_id in {row.store_id for row in batch}:
            there = [row for row in batch if row.store_id == store_id]
            _delete(store_id, there)
            count += len(there)
            size_bytes += sum(row.size_bytes for row in there)
        if len(batch) < BATCH:
            break
    return count, size_bytes


def _due() -> QuerySet[StoreCopy]:
    blob = Blob.objects.filter(key=OuterRef("key"), state__in=READABLE)
    return StoreCopy.objects.filter(Q(kept_until__lte=clock.now()) | (Q(kept_until__isnull=True) & ~Exists(blob)))


def _delete(store_id: UUID | None, rows: list[StoreCopy]) -> None:
    """Delete the objects, then their rows: what is left by a process that dies is deleted again."""
    refused = provider.store_of(store_id).delete_batch([row.key for row in rows])
    gone = [row.id for row in rows if row.key not in refused]
    with db.write_transaction():
        StoreCopy.objects.filter(id__in=gone).delete()
