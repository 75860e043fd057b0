"""The record of what was: fed by the stream, a row for each change of place, name or version.

A node has one row without an end, what it is now; an event ends that and begins the next. What happens to a folder makes no rows of what
lies below it: a node lay where its row says, in whatever its folder lay in at the time.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.files.models import Kind, Placement
from apps.files.past_models import PlacementState
from apps.files.sql.past import CLOSE, RENUMBER, SWEEP, SWEEP_PURGED
from bitvault.events.api import Event, Published
from bitvault.events.catalog import files
from bitvault.kernel import clock, db, names

CONSUMER = "history"
"""Under which name this reads the stream."""

KEPT_FOR = timedelta(days=90)
"""How far back a folder can be seen as it was: as long as most trash and versions are kept, and rows for each change within."""

_SWEPT_AT_ONCE = 10_000
"""Rows that one statement deletes: a fraction of a second."""


def record(events: Sequence[Published]) -> None:
    """Write down what these events have made of nodes; applying them again changes nothing."""
    concerned = {node_id for published in events for node_id in _list_nodes(published.event)}
    stored = {row.node_id: row for row in Placement.objects.filter(node_id__in=concerned, until_seq__isnull=True)}
    revisions = {node_id: row.revision for node_id, row in stored.items()}
    present, made = dict(stored), []
    for published in events:
        for node_id in _list_nodes(published.event):
            before = present.get(node_id)
            if before is not None and before.from_seq >= published.seq:
                continue
            row = _next_row(published, node_id, before)
            if row is None or row is before:
                continue
            if before is not None:
                before.until_seq, before.until_at = published.seq, published.occurred_at
            present[node_id] = row
            made.append(row)
    _end([row for row in stored.values() if row.until_seq is not None])
    _renumber([row for row in stored.values() if row.until_seq is None and row.revision != revisions[row.node_id]])
    Placement.objects.bulk_create(made, batch_size=500)


def _end(rows: Sequence[Placement]) -> None:
    if rows:
        values = [row.node_id for row in rows], [row.until_seq for row in rows], [row.until_at for row in rows]
        with db.prepared_cursor() as cursor:
            cursor.execute(CLOSE, values)


def _renumber(rows: Sequence[Placement]) -> None:
    if rows:
        with db.prepared_cursor() as cursor:
            cursor.execute(RENUMBER, ([row.node_id for row in rows], [row.revision for row in rows]))


def forget_past() -> int:
    """Delete what ended longer ago than is kept, and what is known of nodes that are gone permanently; returns how many rows."""
    before, total = clock.now() - KEPT_FOR, 0
    for statement in (SWEEP, SWEEP_PURGED):
        count = _SWEPT_AT_ONCE
        while count == _SWEPT_AT_ONCE:
            with db.write_transaction(), db.prepared_cursor() as cursor:
                cursor.execute(statement, {"before": before, "limit": _SWEPT_AT_ONCE})
                count = int(cursor.rowcount)
            total += count
    return total


def _list_nodes(event: Event | None) -> Sequence[UUID]:
    if event is None:
        return ()
    if isinstance(event, files.NodePurged):
        return event.purged_node_ids
    return (event.node_id,)  # type: ignore[attr-defined] # every other event that this consumer reads has one


def _next_row(published: Published, node_id: UUID, before: Placement | None) -> Placement | None:
    """Tell what a node is after an event: a new row, the one before with another revision, or ``None`` where nothing is known."""
    match published.event:
        case files.FolderCreated() as event:
            return _begin(
                published,
                node_id,
                kind=Kind.FOLDER,
                parent_id=event.parent_id,
                name=event.name,
                revision=event.revision,
                changes=(True, True),
            )
        case files.VersionCommitted() as event:
            return _begin(
                published,
                node_id,
                kind=Kind.FILE,
                parent_id=event.parent_id,
                name=event.name,
                revision=event.revision,
                version_id=event.version_id,
                changes=(True, event.node_created),
            )
        case files.NodeMoved() | files.NodeRestored() as event:
            return _begin(
                published,
                node_id,
                kind=Kind[event.kind.upper()],
                parent_id=event.parent_id,
                name=event.name,
                revision=event.revision,
                version_id=None if before is None else before.version_id,
            )
        case files.NodeTrashed() as event:
            return _begin(
                published,
                node_id,
                kind=Kind[event.kind.upper()],
                name=event.name,
                revision=event.revision,
                version_id=None if before is None else before.version_id,
                state=PlacementState.TRASHED,
            )
        case files.NodePurged() if before is not None:
            return _begin(
                published,
                node_id,
                kind=before.kind,
                parent_id=before.parent_id,
                name=before.name,
                revision=before.revision,
                version_id=before.version_id,
                state=PlacementState.PURGED,
            )
        case files.NodeChanged() | files.NodeLocked() | files.NodeUnlocked() as event if before is not None:
            before.revision = max(before.revision, event.revision)
            return before
    return None


def _begin(
    published: Published,
    node_id: UUID,
    *,
    kind: int,
    name: str,
    revision: int,
    parent_id: UUID | None = None,
    version_id: UUID | None = None,
    state: PlacementState = PlacementState.LIVE,
    changes: tuple[bool, bool] = (False, True),
) -> Placement:
    who: dict[str, Any] = {
        "actor_id": published.actor_id,
        "device_id": published.device_id,
        "token_id": published.token_id,
        "request_id": published.request_id or "",
    }
    return Placement(
        node_id=node_id,
        from_seq=published.seq,
        from_at=published.occurred_at,
        state=state,
        kind=int(kind),
        parent_id=parent_id,
        name=name,
        sort_key=names.sort_key_of(name),
        version_id=version_id,
        revision=revision,
        changes_content=changes[0],
        changes_place=changes[1],
        **who,
    )


__all__ = ["CONSUMER", "KEPT_FOR", "forget_past", "record"]
