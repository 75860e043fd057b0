"""References to blobs: who holds what, so far as the stream has been read."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef

from apps.files import api as files
from apps.storage.models import Blob, BlobReference, RebuiltReference
from apps.storage.sql import CORRECT_REFERENCES, SWAP_REFERENCES
from bitvault.events.api import Event, set_position
from bitvault.events.catalog import files as told
from bitvault.kernel import clock, db

CONSUMER = "gc"
"""Under which name the references read the stream."""

SETTLED = timedelta(days=1)
"""How old a blob is before a missing reference to it is taken for a fault: the stream has told of its version long since."""

SWAP_SECONDS = 600
"""How long the swap of a rebuild may take: it writes every reference of the tenant once."""


def apply(events: Iterable[Event | None]) -> None:
    """Write what events say about references, in their order: a few statements for two hundred events. No deleted version comes back."""
    held: dict[UUID, UUID] = {}
    gone: list[UUID] = []
    let_go: set[UUID] = set()
    for event in events:
        match event:
            case told.VersionCommitted():
                held[event.version_id] = event.blob_id
            case told.NodePurged() | told.VersionsDeleted():
                gone += event.version_ids
                let_go.update(event.blob_ids)
    rows = [BlobReference(version_id=version_id, blob_id=blob_id) for version_id, blob_id in held.items()]
    BlobReference.objects.bulk_create(rows, ignore_conflicts=True)
    if held:
        Blob.objects.filter(id__in=set(held.values()), unreferenced_at__isnull=False).update(
            unreferenced_at=None, has_drifted=False
        )
    if gone:
        BlobReference.objects.filter(version_id__in=gone).delete()
        still_held = BlobReference.objects.filter(blob_id=OuterRef("id"))
        Blob.objects.filter(~Exists(still_held), id__in=let_go, unreferenced_at__isnull=True).update(
            unreferenced_at=clock.now()
        )


def rebuild() -> int:
    """Make the entered tenant's references anew, beside the live ones; returns the number from which the stream goes on.

    Pages come from different instants. The stream goes on from the first one's: to hold what is held and to let go what is gone changes
    nothing, so it ends right whichever instant a page is of.
    """
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        RebuiltReference.objects.all().delete()
    page = files.list_version_rows()
    seq = page.as_of_seq
    while page.items:
        with db.write_transaction():
            RebuiltReference.objects.bulk_create(
                [RebuiltReference(version_id=row.id, blob_id=row.blob_id) for row in page.items]
            )
        page = files.list_version_rows(after=page.items[-1].id)
    with db.write_transaction(), connection.cursor() as cursor:
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        set_position(consumer=CONSUMER, seq=seq)
        BlobReference.objects.all().delete()
        cursor.execute(SWAP_REFERENCES)
        RebuiltReference.objects.all().delete()
        _correct(cursor)
    return seq


def correct_hints() -> int:
    """Let each blob say whether a version holds it as the references do; returns how many said something else."""
    with db.write_transaction(), connection.cursor() as cursor:
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        return _correct(cursor)


def _correct(cursor: CursorWrapper) -> int:
    now = clock.now()
    cursor.execute(CORRECT_REFERENCES, {"now": now, "before": now - SETTLED})
    return int(cursor.rowcount)
