"""Deleting what a move has left in the old store, or brought to one that it never switched to.

Marked first, in a transaction: a move that begins meanwhile makes use of what is not marked, and waits for the rest to be gone.
"""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.storage import keys, provider
from apps.storage.models import Blob, BlobState, DerivedObject, StoreCopy
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
            found = list(_due().select_for_update(of=("self",)).order_by("id")[:BATCH])
            batch = _leave_out_named(found)
            StoreCopy.objects.filter(id__in=[row.id for row in batch]).update(verified_at=None, kept_until=clock.now())
        for store_id in {row.store_id for row in batch}:
            there = [row for row in batch if row.store_id == store_id]
            _delete(store_id, there)
            count += len(there)
            size_bytes += sum(row.size_bytes for row in there)
        if len(found) < BATCH:
            break
    return count, size_bytes


def _due() -> QuerySet[StoreCopy]:
    blob = Blob.objects.filter(key=OuterRef("key"), state__in=READABLE)
    return StoreCopy.objects.filter(Q(kept_until__lte=clock.now()) | (Q(kept_until__isnull=True) & ~Exists(blob)))


def _leave_out_named(rows: list[StoreCopy]) -> list[StoreCopy]:
    """Forget copies that are none, since a row names this very object (inside the transaction): nothing may ever delete that."""
    at = {(row.store_id, row.key): row for row in rows}
    wanted = [row.key for row in rows]
    named = set(Blob.objects.filter(key__in=wanted).exclude(state=BlobState.GONE).values_list("store_id", "key"))
    derived = {keys.upload_of(key): key for key in wanted if keys.is_derived(key)}
    here = DerivedObject.objects.filter(id__in=[one for one in derived if one is not None])
    named |= {(store_id, derived[derived_id]) for derived_id, store_id in here.values_list("id", "store_id")}
    StoreCopy.objects.filter(id__in=[at[each].id for each in at.keys() & named]).delete()
    return [row for place, row in at.items() if place not in named]


def _delete(store_id: UUID | None, rows: list[StoreCopy]) -> None:
    """Delete the objects, then their rows: what is left by a process that dies is deleted again."""
    refused = provider.store_of(store_id).delete_batch([row.key for row in rows])
    gone = [row.id for row in rows if row.key not in refused]
    with db.write_transaction():
        StoreCopy.objects.filter(id__in=gone).delete()
