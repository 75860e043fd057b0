"""Rebuilding the meter from what Files holds: beside the live one, page by page, then swapped in one transaction.

Each page shows its nodes as they are at its own number of the stream, exactly, and each row remembers that number. The stream is then
read from the first page's number: an event changes a row only if it is newer than the row. Once it has been read past the last page, all
rows are of one instant, and the gauges are counted from them.

Uploads and downloads by day are no state that Files could be asked for. They go on from the cursor: whichever of image and cursor lags,
the events between count for that one alone, in the transaction that moves the cursor.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from apps.billing import dtos, metering, sql
from apps.billing.models import Meter, MeteredNode, RebuiltNode, RootUsage
from bitvault.events.api import Published, find_event, list_published, lock_position, set_position
from bitvault.events.catalog import files as told
from bitvault.kernel import db

STEP = 1000
"""Events of one transaction; the live meter waits as long."""

SWAP_SECONDS = 600
"""How long the swap may take: it writes every node of the tenant once, some 50,000 a second."""

_CHANGES = (
    told.FolderCreated,
    told.VersionCommitted,
    told.NodeMoved,
    told.NodeTrashed,
    told.NodeRestored,
    told.NodePurged,
    told.VersionsDeleted,
)
_FLOWS = (told.VersionCommitted, told.DownloadSigned, told.ArchiveSigned)


def start() -> None:
    """Begin with nothing: what an earlier rebuild left is thrown away."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        RebuiltNode.objects.all().delete()


def keep(rows: Sequence[dtos.MeteredNode], seq: int) -> None:
    """Keep a page of nodes as they are at a number of the stream."""
    with db.write_transaction():
        RebuiltNode.objects.bulk_create(
            [
                RebuiltNode(
                    node_id=row.node_id,
                    parent_id=row.parent_id,
                    is_folder=row.is_folder,
                    is_trashed=row.is_trashed,
                    size_bytes=row.size_bytes,
                    version_count=row.version_count,
                    as_of_seq=seq,
                )
                for row in rows
            ]
        )


def finish(*, first_seq: int, last_seq: int) -> int:
    """Read on in the stream from the first page's number past the last one's, and swap; returns the number that all is at then."""
    read_to, swapped = first_seq, False
    while not swapped:
        read_to, swapped = _follow(read_to, last_seq)
    return read_to


def _follow(read_to: int, exact_from: int) -> tuple[int, bool]:
    """Read on in the stream, for the image or the flows or both, and swap once they are at one number; tells how far the image is."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        position = lock_position(metering.CONSUMER)
        events = list_published(after=min(read_to, position), limit=STEP)
        tally = metering.Tally()
        for published in events:
            if published.seq > read_to:
                _replay(published)
            if published.seq > position:
                _count_flow(tally, published)
        tally.write()
        # A page that is not full ends at the head. Where days of the stream are dropped, nothing is left to be read before it.
        end = events[-1].seq if len(events) == STEP else max([read_to, position, *(event.seq for event in events)])
        read_to, counted_to = max(read_to, end), max(position, end)
        swap = read_to == counted_to >= exact_from
        if swap:
            _swap(read_to)
        if swap or counted_to > position:
            set_position(consumer=metering.CONSUMER, seq=counted_to, swaps=swap)
    return read_to, swap


def _replay(published: Published) -> None:
    seq = published.seq
    match find_event(published, _CHANGES):
        case told.FolderCreated() as event:
            _add(event, seq, is_folder=True, size_bytes=0, version_count=0)
        case told.VersionCommitted() as event:
            if not _add(event, seq, is_folder=False, size_bytes=event.size_bytes, version_count=1):
                _older(event.node_id, seq).update(
                    size_bytes=F("size_bytes") + event.size_bytes, version_count=F("version_count") + 1
                )
        case told.NodeMoved() | told.NodeRestored() as event:
            _older(event.node_id, seq).update(parent_id=event.parent_id, is_trashed=False)
        case told.NodeTrashed() as event:
            _older(event.node_id, seq).update(parent_id=None, is_trashed=True)
        case told.NodePurged() as event:
            RebuiltNode.objects.filter(node_id__in=list(event.purged_node_ids)).delete()
        case told.VersionsDeleted() as event:
            _older(event.node_id, seq).update(
                size_bytes=F("size_bytes") - event.size_bytes, version_count=F("version_count") - len(event.version_ids)
            )


def _older(node_id: UUID, seq: int) -> QuerySet[RebuiltNode]:
    """Give the row of a node, if it does not hold the event of this number yet."""
    return RebuiltNode.objects.filter(node_id=node_id, as_of_seq__lt=seq)


def _add(event: told.FolderCreated | told.VersionCommitted, seq: int, **facts: int) -> bool:
    """Add the live node that an event tells of; false where it is there."""
    facts |= {"is_trashed": False, "as_of_seq": seq}
    _node, is_new = RebuiltNode.objects.get_or_create(
        node_id=event.node_id, defaults={"parent_id": event.parent_id, **facts}
    )
    return is_new


def _count_flow(tally: metering.Tally, published: Published) -> None:
    day = published.occurred_at.date()
    match find_event(published, _FLOWS):
        case told.VersionCommitted(restored_from_id=None, copied_from_id=None) as event:
            tally.add_upload(day, event.size_bytes)
        case told.DownloadSigned() | told.ArchiveSigned() as event:
            tally.add_download(day, event.size_bytes)


def _swap(seq: int) -> None:
    """Let the new image stand for the old one. What was given up before this number is counted in it, and not again when it is replayed."""
    MeteredNode.objects.all().delete()
    RootUsage.objects.all().delete()
    with connection.cursor() as cursor:
        for statement in (sql.SWAP, sql.RECOUNT, sql.RECOUNT_ROOTS):
            cursor.execute(statement)
    RebuiltNode.objects.all().delete()
    Meter.objects.update_or_create(id=1, defaults={"rebuilt_seq": seq})
    metering.close_today()
