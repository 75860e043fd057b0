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
from django.db.models import F

from apps.billing import models, sql
from bitvault.events.api import Published
from bitvault.kernel import clock

CONSUMER = "billing"
"""Under which name the meter reads the stream."""

UPLOADS, DOWNLOADS = "uploads_committed_count", "downloads_signed_count"
UPLOADED, DOWNLOADED = "uploaded_bytes", "downloaded_bytes"
GAUGES = ("live_bytes", "trash_bytes", "file_count", "folder_count", "version_count")
MEMBERS, GUESTS, LINKS, DERIVED = "member_count", "guest_count", "link_count", "derived_bytes"
NOTED = (MEMBERS, GUESTS, LINKS, DERIVED)
"""What other modules are asked for once an hour, since no event of files tells it; a day has the last figure of it."""
FLOWS = (UPLOADS, UPLOADED, DOWNLOADS, DOWNLOADED)


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
            self._rebuilt_seq = models.Meter.objects.values_list("rebuilt_seq", flat=True).first() or 0
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
        nodes = models.MeteredNode.objects.filter(node_id__in=node_ids)
        folder_count = nodes.filter(is_folder=True).count()
        node_count, _by_model = nodes.delete()
        self._gauges.update(
            trash_bytes=-size_bytes,
            version_count=-version_count,
            folder_count=-folder_count,
            file_count=folder_count - node_count,
        )

    def delete_versions(self, *, node_id: UUID, version_count: int, size_bytes: int) -> None:
        """Take deleted versions of a live file out of the count."""
        self._write_new()
        models.MeteredNode.objects.filter(node_id=node_id).update(size_bytes=F("size_bytes") - size_bytes)
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
            _execute(sql.FLOWS, _columns(rows))
            self._flows.clear()

    def _close_day(self) -> None:
        """Keep the gauges as they stand under the day of the last event."""
        self._write_new()
        gauges = sorted((metric, amount) for metric, amount in self._gauges.items() if amount)
        if gauges:
            _execute(sql.GAUGES, _columns(gauges))
        self._gauges.clear()
        _execute(sql.CLOSING, [self._day])

    def _write_new(self) -> None:
        if self._new:
            _execute(sql.NODES, _columns([(node_id, *facts) for node_id, facts in self._new.items()]))
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
        models.MeteredNode.objects.filter(node_id=node_id).update(parent_id=parent_id)


def note(amounts: Mapping[str, int]) -> None:
    """Keep figures of ``NOTED`` under today's date."""
    today = clock.now().date()
    models.UsageDay.objects.bulk_create(
        [models.UsageDay(day=today, metric=metric, amount=amount) for metric, amount in sorted(amounts.items())],
        update_conflicts=True,
        unique_fields=["day", "metric"],
        update_fields=["amount"],
    )


def close_today() -> None:
    """Keep the gauges as they stand under today's date."""
    _execute(sql.CLOSING, [clock.now().date()])


def _measure(node_id: UUID) -> int:
    return int(_fetch(sql.SUBTREE, [node_id])[0][0])


def _find_roots(node_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Find where the trees begin in which nodes lie, by node."""
    return dict(_fetch(sql.ROOTS, [list(node_ids)]))


def _add_to_roots(changes: Mapping[UUID, int]) -> None:
    rows = sorted((root_id, size_bytes) for root_id, size_bytes in changes.items() if size_bytes)
    if rows:
        _execute(sql.ROOT_USAGE, _columns(rows))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _fetch(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _execute(statement: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
