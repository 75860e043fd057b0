"""The meter: what a tenant stores and does, counted from the stream alone.

It keeps a small image of the tree (who hangs from whom, how many bytes of versions), since an event about a folder speaks for all below
it. What the events of one transaction say is gathered and written at its end, with the consumer's cursor, so an event counts once,
whatever is repeated, and two hundred uploads cost half a dozen statements.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
MEMBERS, GUESTS, DERIVED = "member_count", "guest_count", "derived_bytes"
NOTED = (MEMBERS, GUESTS, DERIVED)
"""What other modules are asked for once an hour, since no event of files tells it; a day has the last figure of it."""
FLOWS = (UPLOADS, UPLOADED, DOWNLOADS, DOWNLOADED)

_SUBTREE = """
WITH RECURSIVE below AS (
    SELECT node_id, size_bytes FROM billing_metered_node WHERE node_id = %s
    UNION ALL
    SELECT child.node_id, child.size_bytes
    FROM below JOIN billing_metered_node child ON child.parent_id = below.node_id
)
SELECT coalesce(sum(size_bytes), 0) FROM below
"""

_NODES = """
INSERT INTO billing_metered_node (node_id, parent_id, is_folder, size_bytes)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bool[], %s::bigint[])
ON CONFLICT (node_id) DO UPDATE SET size_bytes = billing_metered_node.size_bytes + excluded.size_bytes
"""

_ROOTS = """
WITH RECURSIVE up AS (
    SELECT node_id AS below_id, node_id, parent_id FROM billing_metered_node WHERE node_id = ANY(%s)
    UNION ALL
    SELECT up.below_id, above.node_id, above.parent_id
    FROM up JOIN billing_metered_node above ON above.node_id = up.parent_id
)
SELECT below_id, node_id FROM up WHERE parent_id IS NULL
"""

_ROOT_USAGE = """
INSERT INTO billing_root_usage (root_id, used_bytes) SELECT * FROM unnest(%s::uuid[], %s::bigint[])
ON CONFLICT (root_id) DO UPDATE SET used_bytes = billing_root_usage.used_bytes + excluded.used_bytes
"""

_GAUGES = """
INSERT INTO billing_usage_gauge (metric, amount) SELECT * FROM unnest(%s::text[], %s::bigint[])
ON CONFLICT (metric) DO UPDATE SET amount = billing_usage_gauge.amount + excluded.amount
"""

_FLOWS = """
INSERT INTO billing_usage_day (day, metric, amount) SELECT * FROM unnest(%s::date[], %s::text[], %s::bigint[])
ON CONFLICT (day, metric) DO UPDATE SET amount = billing_usage_day.amount + excluded.amount
"""

_NOTED = """
INSERT INTO billing_usage_day (day, metric, amount) SELECT * FROM unnest(%s::date[], %s::text[], %s::bigint[])
ON CONFLICT (day, metric) DO UPDATE SET amount = excluded.amount
"""

_CLOSING = """
INSERT INTO billing_usage_day (day, metric, amount) SELECT %s, metric, amount FROM billing_usage_gauge
ON CONFLICT (day, metric) DO UPDATE SET amount = excluded.amount
"""


class Tally:
    """What the events of one transaction say, in their order."""

    def __init__(self) -> None:
        self._rebuilt_seq: int | None = None
        self._day: date | None = None
        self._new: dict[UUID, tuple[UUID | None, bool, int]] = {}
        self._grown: Counter[UUID] = Counter()
        """Bytes that came below a node since the image was written; they count for the root above it."""
        self._gauges: Counter[str] = Counter()
        self._flows: Counter[tuple[date, str]] = Counter()

    def counts(self, published: Published) -> bool:
        """Begin to count what an event says about the tree; false when a rebuild has counted it: then its letter was dead meanwhile."""
        if self._rebuilt_seq is None:
            rows = _fetch("SELECT rebuilt_seq FROM billing_meter", [])
            self._rebuilt_seq = rows[0][0] if rows else 0
        if published.seq <= self._rebuilt_seq:
            return False
        day = published.occurred_at.date()
        if self._day not in (None, day):
            self._close_day()
        self._day = day
        return True

    def add_folder(self, *, node_id: UUID, parent_id: UUID | None) -> None:
        """Count a new folder."""
        self._new[node_id] = (parent_id, True, 0)
        self._gauges["folder_count"] += 1

    def add_version(self, *, node_id: UUID, parent_id: UUID, size_bytes: int, is_new_file: bool) -> None:
        """Count a committed version, and the file when it is new."""
        _, _, before = self._new.get(node_id, (parent_id, False, 0))
        self._new[node_id] = (parent_id, False, before + size_bytes)
        self._grown[parent_id] += size_bytes
        self._gauges.update(live_bytes=size_bytes, version_count=1, file_count=int(is_new_file))

    def move_node(self, *, node_id: UUID, parent_id: UUID | None) -> None:
        """Hang a node elsewhere; what lies below it counts for another root then."""
        self._write_new()
        roots = _find_roots([node_id, *([parent_id] if parent_id else [])])
        self._place(node_id, parent_id)
        before, after = roots.get(node_id), roots.get(parent_id) if parent_id else None
        if before != after and before is not None and after is not None:
            size_bytes = _measure(node_id)
            _add_to_roots({before: -size_bytes, after: size_bytes})

    def trash_node(self, *, node_id: UUID) -> None:
        """Count a node and all below it as trash."""
        self._write_new()
        roots = _find_roots([node_id])
        size_bytes = _measure(node_id)
        self._place(node_id, None)
        _add_to_roots(dict.fromkeys(roots.values(), -size_bytes))
        self._gauges.update(live_bytes=-size_bytes, trash_bytes=size_bytes)

    def restore_node(self, *, node_id: UUID, parent_id: UUID | None) -> None:
        """Count a node and all below it as live again."""
        self._write_new()
        self._place(node_id, parent_id)
        size_bytes = _measure(node_id)
        _add_to_roots(dict.fromkeys(_find_roots([node_id]).values(), size_bytes))
        self._gauges.update(live_bytes=size_bytes, trash_bytes=-size_bytes)

    def purge_nodes(self, *, node_ids: Sequence[UUID], version_count: int, size_bytes: int) -> None:
        """Take deleted nodes out of the count."""
        self._write_new()
        rows = _fetch("DELETE FROM billing_metered_node WHERE node_id = ANY(%s) RETURNING is_folder", [list(node_ids)])
        folder_count = sum(is_folder for (is_folder,) in rows)
        self._gauges.update(
            trash_bytes=-size_bytes,
            version_count=-version_count,
            folder_count=-folder_count,
            file_count=folder_count - len(rows),
        )

    def delete_versions(self, *, node_id: UUID, version_count: int, size_bytes: int) -> None:
        """Take deleted versions of a live file out of the count."""
        self._write_new()
        _execute(
            "UPDATE billing_metered_node SET size_bytes = size_bytes - %s WHERE node_id = %s", [size_bytes, node_id]
        )
        _add_to_roots(dict.fromkeys(_find_roots([node_id]).values(), -size_bytes))
        self._gauges.update(live_bytes=-size_bytes, version_count=-version_count)

    def add_upload(self, day: date, size_bytes: int) -> None:
        """Add a committed upload to what happened on a day."""
        self._flows.update({(day, UPLOADS): 1, (day, UPLOADED): size_bytes})

    def add_download(self, day: date, size_bytes: int) -> None:
        """Add a download that was allowed to what happened on a day."""
        self._flows.update({(day, DOWNLOADS): 1, (day, DOWNLOADED): size_bytes})

    def write(self) -> None:
        """Write all of it. The last event of a day leaves the day's closing figures."""
        if self._day is not None:
            self._close_day()
        if self._flows:
            rows = [(day, metric, amount) for (day, metric), amount in sorted(self._flows.items())]
            _execute(_FLOWS, _columns(rows))
            self._flows.clear()

    def _close_day(self) -> None:
        """Keep the gauges as they stand under the day of the last event."""
        self._write_new()
        gauges = sorted((metric, amount) for metric, amount in self._gauges.items() if amount)
        if gauges:
            _execute(_GAUGES, _columns(gauges))
        self._gauges.clear()
        _execute(_CLOSING, [self._day])

    def _write_new(self) -> None:
        if self._new:
            _execute(_NODES, _columns([(node_id, *facts) for node_id, facts in self._new.items()]))
            self._new.clear()
        if self._grown:
            roots = _find_roots(list(self._grown))
            by_root: Counter[UUID] = Counter()
            for node_id, size_bytes in self._grown.items():
                if node_id in roots:
                    by_root[roots[node_id]] += size_bytes
            _add_to_roots(by_root)
            self._grown.clear()

    @staticmethod
    def _place(node_id: UUID, parent_id: UUID | None) -> None:
        _execute("UPDATE billing_metered_node SET parent_id = %s WHERE node_id = %s", [parent_id, node_id])


def note(amounts: Mapping[str, int]) -> None:
    """Keep figures of ``NOTED`` under today's date."""
    today = clock.now().date()
    _execute(_NOTED, _columns([(today, metric, amount) for metric, amount in sorted(amounts.items())]))


def close_today() -> None:
    """Keep the gauges as they stand under today's date."""
    _execute(_CLOSING, [clock.now().date()])


def _measure(node_id: UUID) -> int:
    return int(_fetch(_SUBTREE, [node_id])[0][0])


def _find_roots(node_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Find where the trees begin in which nodes lie, by node."""
    return dict(_fetch(_ROOTS, [list(node_ids)]))


def _add_to_roots(changes: Mapping[UUID, int]) -> None:
    rows = sorted((root_id, size_bytes) for root_id, size_bytes in changes.items() if size_bytes)
    if rows:
        _execute(_ROOT_USAGE, _columns(rows))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _fetch(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _execute(statement: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
