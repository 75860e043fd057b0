"""References to blobs: who holds what, so far as the stream has been read."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from apps.files import api as files
from apps.storage.models import BlobReference, RebuiltReference
from bitvault.events.api import Event, set_position
from bitvault.events.catalog import files as told
from bitvault.kernel import db

CONSUMER = "gc"
"""Under which name the references read the stream."""
SWAP_SECONDS = 600
"""How long the swap of a rebuild may take: it writes every reference of the tenant once."""

_SWAP = (
    "INSERT INTO storage_blob_reference (version_id, blob_id) SELECT version_id, blob_id FROM storage_rebuilt_reference"
)


def apply(events: Iterable[Event | None]) -> None:
    """Write what events say about references, in their order: two statements for two hundred events. No deleted version comes back."""
    held: dict[UUID, UUID] = {}
    gone: list[UUID] = []
    for event in events:
        match event:
            case told.VersionCommitted():
                held[event.version_id] = event.blob_id
            case told.NodePurged() | told.VersionsDeleted():
                gone += event.version_ids
    rows = [BlobReference(version_id=version_id, blob_id=blob_id) for version_id, blob_id in held.items()]
    BlobReference.objects.bulk_create(rows, ignore_conflicts=True)
    if gone:
        BlobReference.objects.filter(version_id__in=gone).delete()


def rebuild() -> int:
    """Make the entered tenant's references anew, beside the live ones; returns the number from which the stream goes on.

    Pages come from different instants. The stream goes on from the first one's: to hold what is held and to let go what is gone changes
    nothing, so it ends right whichever instant a page is of.
    """
    with db.write_transaction():
        db.be_patient(seconds=SWAP_SECONDS)
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
        db.be_patient(seconds=SWAP_SECONDS)
        set_position(consumer=CONSUMER, seq=seq)
        BlobReference.objects.all().delete()
        cursor.execute(_SWAP)
        RebuiltReference.objects.all().delete()
    return seq
