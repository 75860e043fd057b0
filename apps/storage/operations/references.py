"""References to blobs: who holds what, so far as the stream has been read."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from apps.files import api as files
from apps.storage.models import BlobReference, RebuiltReference
from bitvault.events.api import set_position
from bitvault.kernel import db

CONSUMER = "gc"
"""Under which name the references read the stream."""


_SLOT = "storage.references"

SWAP_SECONDS = 600
"""How long the swap of a rebuild may take: it writes every reference of the tenant once."""

_SWAP = (
    "INSERT INTO storage_blob_reference (version_id, blob_id) SELECT version_id, blob_id FROM storage_rebuilt_reference"
)


class Gathered:
    """What the events of one transaction say about references; written at its end, by two statements for two hundred events."""

    def __init__(self) -> None:
        self._held: dict[UUID, UUID] = {}
        self._gone: list[UUID] = []

    def hold(self, *, version_id: UUID, blob_id: UUID) -> None:
        """Note a reference, once for each version."""
        self._held[version_id] = blob_id

    def let_go(self, *, version_ids: Sequence[UUID]) -> None:
        """Take the references of deleted versions away; no version comes back."""
        for version_id in version_ids:
            self._held.pop(version_id, None)
        self._gone += version_ids

    def write(self) -> None:
        """Write all of it."""
        if self._held:
            rows = [BlobReference(version_id=version_id, blob_id=blob_id) for version_id, blob_id in self._held.items()]
            BlobReference.objects.bulk_create(rows, ignore_conflicts=True)
        if self._gone:
            BlobReference.objects.filter(version_id__in=self._gone).delete()


def gather() -> Gathered:
    """Give what the open transaction has gathered."""
    tx = db.require_writing()
    gathered: Gathered | None = tx.slots.get(_SLOT)
    if gathered is None:
        gathered = tx.slots[_SLOT] = Gathered()
        tx.before_numbering(lambda _: gathered.write())
    return gathered


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
