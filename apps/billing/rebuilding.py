"""Rebuilding the meter from what Files holds: beside the live one, page by page, then swapped in one transaction.

Each page shows its nodes as they are at its own number of the stream, exactly, and each row remembers that number. The stream is then
read from the first page's number: an event changes a row only if it is newer than the row. Once it has been read past the last page, all
rows are of one instant, and the gauges are counted from them.

Uploads and downloads by day are no state that Files could be asked for. They go on from the cursor: whichever of image and cursor lags,
the events between count for that one alone, in the transaction that moves the cursor.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.billing import metering
from apps.billing.dtos import MeteredNode
from apps.billing.models import RebuiltNode
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

_ADD_FOLDER = """
INSERT INTO billing_rebuilt_node (node_id, parent_id, is_folder, is_trashed, size_bytes, version_count, as_of_seq)
VALUES (%(node_id)s, %(parent_id)s, true, false, 0, 0, %(seq)s) ON CONFLICT (node_id) DO NOTHING
"""

_ADD_VERSION = """
INSERT INTO billing_rebuilt_node (node_id, parent_id, is_folder, is_trashed, size_bytes, version_count, as_of_seq)
VALUES (%(node_id)s, %(parent_id)s, false, false, %(size_bytes)s, 1, %(seq)s)
ON CONFLICT (node_id) DO UPDATE SET size_bytes = billing_rebuilt_node.size_bytes + excluded.size_bytes,
    version_count = billing_rebuilt_node.version_count + 1
WHERE billing_rebuilt_node.as_of_seq < %(seq)s
"""

_DELETE_VERSIONS = """
UPDATE billing_rebuilt_node SET size_bytes = size_bytes - %(size_bytes)s, version_count = version_count - %(version_count)s
WHERE node_id = %(node_id)s AND as_of_seq < %(seq)s
"""

_PLACE = """
UPDATE billing_rebuilt_node SET parent_id = %(parent_id)s, is_trashed = %(is_trashed)s
WHERE node_id = %(node_id)s AND as_of_seq < %(seq)s
"""

_SWAP = """
INSERT INTO billing_metered_node (node_id, parent_id, is_folder, size_bytes)
SELECT node_id, parent_id, is_folder, size_bytes FROM billing_rebuilt_node
"""

_RECOUNT = """
WITH RECURSIVE trashed AS (
    SELECT node_id, size_bytes FROM billing_rebuilt_node WHERE is_trashed
    UNION ALL
    SELECT child.node_id, child.size_bytes FROM trashed JOIN billing_metered_node child ON child.parent_id = trashed.node_id
),
total AS (
    SELECT coalesce(sum(size_bytes), 0) AS bytes, coalesce(sum(version_count), 0) AS versions,
        count(*) FILTER (WHERE is_folder) AS folders, count(*) FILTER (WHERE NOT is_folder) AS files
    FROM billing_rebuilt_node
),
trash AS (SELECT coalesce(sum(size_bytes), 0) AS bytes FROM trashed)
INSERT INTO billing_usage_gauge (metric, amount)
SELECT gauge.metric, gauge.amount FROM total, trash, LATERAL (VALUES
    ('live_bytes', total.bytes - trash.bytes), ('trash_bytes', trash.bytes),
    ('file_count', total.files), ('folder_count', total.folders), ('version_count', total.versions)
) AS gauge(metric, amount)
ON CONFLICT (metric) DO UPDATE SET amount = excluded.amount
"""

_RECOUNT_ROOTS = """
WITH RECURSIVE below AS (
    SELECT node_id AS root_id, node_id, size_bytes FROM billing_rebuilt_node WHERE parent_id IS NULL AND NOT is_trashed
    UNION ALL
    SELECT below.root_id, child.node_id, child.size_bytes
    FROM below JOIN billing_metered_node child ON child.parent_id = below.node_id
)
INSERT INTO billing_root_usage (root_id, used_bytes) SELECT root_id, sum(size_bytes) FROM below GROUP BY root_id
"""

_NOTE = """
INSERT INTO billing_meter (id, rebuilt_seq) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET rebuilt_seq = excluded.rebuilt_seq
"""


def start() -> None:
    """Begin with nothing: what an earlier rebuild left is thrown away."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWAP_SECONDS)
        RebuiltNode.objects.all().delete()


def keep(rows: Sequence[MeteredNode], seq: int) -> None:
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
    match find_event(published, _CHANGES):
        case told.FolderCreated() as event:
            _execute(_ADD_FOLDER, seq=published.seq, node_id=event.node_id, parent_id=event.parent_id)
        case told.VersionCommitted() as event:
            facts = {"node_id": event.node_id, "parent_id": event.parent_id, "size_bytes": event.size_bytes}
            _execute(_ADD_VERSION, seq=published.seq, **facts)
        case told.NodeMoved() | told.NodeRestored() as event:
            facts = {"node_id": event.node_id, "parent_id": event.parent_id, "is_trashed": False}
            _execute(_PLACE, seq=published.seq, **facts)
        case told.NodeTrashed() as event:
            _execute(_PLACE, seq=published.seq, node_id=event.node_id, parent_id=None, is_trashed=True)
        case told.NodePurged() as event:
            RebuiltNode.objects.filter(node_id__in=list(event.purged_node_ids)).delete()
        case told.VersionsDeleted() as event:
            facts = {"node_id": event.node_id, "size_bytes": event.size_bytes}
            _execute(_DELETE_VERSIONS, seq=published.seq, version_count=len(event.version_ids), **facts)


def _count_flow(tally: metering.Tally, published: Published) -> None:
    day = published.occurred_at.date()
    match find_event(published, _FLOWS):
        case told.VersionCommitted(restored_from_id=None, copied_from_id=None) as event:
            tally.add_upload(day, event.size_bytes)
        case told.DownloadSigned() | told.ArchiveSigned() as event:
            tally.add_download(day, event.size_bytes)


def _swap(seq: int) -> None:
    """Let the new image stand for the old one. What was given up before this number is counted in it, and not again when it is replayed."""
    _execute("DELETE FROM billing_metered_node")
    _execute(_SWAP)
    _execute(_RECOUNT)
    _execute("DELETE FROM billing_root_usage")
    _execute(_RECOUNT_ROOTS)
    RebuiltNode.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [seq])
    metering.close_today()


def _execute(statement: str, **parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
