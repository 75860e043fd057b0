"""The meter: what a tenant stores and does, counted from the stream alone.

It keeps a small image of the tree (who hangs from whom, how many bytes of versions), since an event about a folder speaks for all below
it. Each function runs in the transaction that moves the consumer's cursor, so an event counts once, whatever is repeated.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from bitvault.events.api import Published
from bitvault.kernel import clock

CONSUMER = "billing"
"""Under which name the meter reads the stream."""

UPLOADS, DOWNLOADS = "uploads_committed_count", "downloads_signed_count"
UPLOADED, DOWNLOADED = "uploaded_bytes", "downloaded_bytes"
GAUGES = ("live_bytes", "trash_bytes", "file_count", "folder_count", "version_count")
FLOWS = (UPLOADS, UPLOADED, DOWNLOADS, DOWNLOADED)

_SUBTREE = """
WITH RECURSIVE below AS (
    SELECT node_id, is_folder, size_bytes FROM billing_metered_node WHERE node_id = ANY(%(roots)s)
    UNION ALL
    SELECT child.node_id, child.is_folder, child.size_bytes
    FROM below JOIN billing_metered_node child ON child.parent_id = below.node_id
)
SELECT coalesce(sum(size_bytes), 0) FROM below
"""

_GAUGE = """
INSERT INTO billing_usage_gauge (metric, amount) VALUES (%s, %s)
ON CONFLICT (metric) DO UPDATE SET amount = billing_usage_gauge.amount + excluded.amount
"""

_FLOW = """
INSERT INTO billing_usage_day (day, metric, amount) VALUES (%s, %s, %s)
ON CONFLICT (day, metric) DO UPDATE SET amount = billing_usage_day.amount + excluded.amount
"""

_CLOSING = """
INSERT INTO billing_usage_day (day, metric, amount) SELECT %s, metric, amount FROM billing_usage_gauge
ON CONFLICT (day, metric) DO UPDATE SET amount = excluded.amount
"""


def add_folder(*, node_id: UUID, parent_id: UUID | None) -> None:
    """Count a new folder."""
    _insert_node(node_id, parent_id, is_folder=True)
    _move_gauges(folder_count=1)


def add_version(*, node_id: UUID, parent_id: UUID, size_bytes: int, is_new_file: bool, day: date) -> None:
    """Count a committed version, and the file when it is new."""
    _insert_node(node_id, parent_id, is_folder=False)
    _execute("UPDATE billing_metered_node SET size_bytes = size_bytes + %s WHERE node_id = %s", [size_bytes, node_id])
    _move_gauges(live_bytes=size_bytes, version_count=1, file_count=int(is_new_file))
    count_flow(day, UPLOADS, 1)
    count_flow(day, UPLOADED, size_bytes)


def move_node(*, node_id: UUID, parent_id: UUID | None) -> None:
    """Hang a node elsewhere; nothing is counted."""
    _execute("UPDATE billing_metered_node SET parent_id = %s WHERE node_id = %s", [parent_id, node_id])


def trash_node(*, node_id: UUID) -> None:
    """Count a node and all below it as trash."""
    size_bytes = _measure([node_id])
    _execute("UPDATE billing_metered_node SET parent_id = NULL WHERE node_id = %s", [node_id])
    _move_gauges(live_bytes=-size_bytes, trash_bytes=size_bytes)


def restore_node(*, node_id: UUID, parent_id: UUID | None) -> None:
    """Count a node and all below it as live again."""
    size_bytes = _measure([node_id])
    _execute("UPDATE billing_metered_node SET parent_id = %s WHERE node_id = %s", [parent_id, node_id])
    _move_gauges(live_bytes=size_bytes, trash_bytes=-size_bytes)


def purge_nodes(*, node_ids: Sequence[UUID], version_count: int, size_bytes: int) -> None:
    """Take deleted nodes out of the count."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_metered_node WHERE node_id = ANY(%s) RETURNING is_folder", [list(node_ids)])
        folders = [is_folder for (is_folder,) in cursor.fetchall()]
    _move_gauges(
        trash_bytes=-size_bytes,
        version_count=-version_count,
        folder_count=-sum(folders),
        file_count=-(len(folders) - sum(folders)),
    )


def count_flow(day: date, metric: str, amount: int) -> None:
    """Add to what happened on a day."""
    _execute(_FLOW, [day, metric, amount])


def close_day(published: Published) -> None:
    """Keep the gauges as they stand after an event under the event's day: the last event of a day leaves its closing figures."""
    _execute(_CLOSING, [published.occurred_at.date()])


def today() -> date:
    """Tell the day that is being counted (UTC)."""
    return clock.now().date()


def _insert_node(node_id: UUID, parent_id: UUID | None, *, is_folder: bool) -> None:
    _execute(
        "INSERT INTO billing_metered_node (node_id, parent_id, is_folder, size_bytes) VALUES (%s, %s, %s, 0)"
        " ON CONFLICT (node_id) DO NOTHING",
        [node_id, parent_id, is_folder],
    )


def _measure(roots: list[UUID]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SUBTREE, {"roots": roots})
        return int(cursor.fetchone()[0])


def _move_gauges(**changes: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_GAUGE, [(metric, amount) for metric, amount in changes.items() if amount])


def _execute(statement: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
