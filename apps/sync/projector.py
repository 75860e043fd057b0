"""The projector: what the events of a transaction say about the tree, written into replica and journal at once.

Events are gathered and folded by node, and a batch of two hundred costs about eight statements: catching up reads thousands of events in
a second. Under which root a node lies is told by the replica in the order of the stream, never by an event: a commit of content does
not wait for a move of its folder, so what it saw on its way up may have changed before its number.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from bitvault.events.api import Published
from bitvault.events.catalog.files import VersionCommitted
from bitvault.kernel import db, ids, tenancy
from bitvault.web import wakeups

CONSUMER = "sync"
"""Under which name sync reads the stream."""

_TYPES = {
    "node_id": "uuid",
    "parent_id": "uuid",
    "is_folder": "bool",
    "name": "text",
    "revision": "bigint",
    "size_bytes": "bigint",
    "media_type": "text",
    "content_hash": "text",
    "version_id": "uuid",
    "created_at": "timestamptz",
    "modified_at": "timestamptz",
    "client_modified_at": "timestamptz",
    "created_by": "uuid",
    "is_trashed": "bool",
}
COLUMNS = tuple(_TYPES)

_CHANGING = ("name", "size_bytes", "media_type", "content_hash", "version_id", "modified_at", "is_trashed")
"""What an event about a known node says or leaves as it is. Its parent is said always: no parent is a place too."""


def _unnest(columns: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%({name})s::{_TYPES[name]}[]' for name in columns)}) AS told({', '.join(columns)})"


_LOCK = "SELECT seq, horizon FROM sync_feed FOR UPDATE"

_APPLIED = "SELECT DISTINCT seq FROM sync_change_journal WHERE seq BETWEEN %s AND %s"

# Revisions rise with every change of a node, so what is known to be newer stays: an event applied again changes nothing.
_INSERT = f"""
INSERT INTO sync_node ({", ".join(COLUMNS)}) SELECT * FROM {_unnest(COLUMNS)}
ON CONFLICT (node_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])}
WHERE sync_node.revision < excluded.revision
"""

# Of content whose sender names no time, none is known: then the older one's does not stay.
_UPDATE_COLUMNS = ("node_id", "parent_id", "revision", "client_modified_at", *_CHANGING)
_UPDATE = f"""
UPDATE sync_node SET parent_id = told.parent_id, revision = told.revision,
    client_modified_at = CASE WHEN told.version_id IS NULL THEN coalesce(told.client_modified_at, sync_node.client_modified_at)
        ELSE told.client_modified_at END,
    {", ".join(f"{name} = coalesce(told.{name}, sync_node.{name})" for name in _CHANGING)}
FROM {_unnest(_UPDATE_COLUMNS)}
WHERE sync_node.node_id = told.node_id AND sync_node.revision < told.revision
"""

# The way up is walked once for each parent, not for each node: a batch is often many files of few folders.
ROOTS = """
WITH RECURSIVE told AS (
    SELECT node_id, coalesce(parent_id, node_id) AS begin_id FROM sync_node WHERE node_id = ANY(%(node_ids)s::uuid[])
),
way AS (
    SELECT begun.begin_id, node.node_id, node.parent_id, node.is_trashed
    FROM (SELECT DISTINCT begin_id FROM told) begun JOIN sync_node node ON node.node_id = begun.begin_id
    UNION ALL
    SELECT way.begin_id, above.node_id, above.parent_id, above.is_trashed
    FROM way JOIN sync_node above ON above.node_id = way.parent_id
)
SELECT told.node_id, way.node_id AS root_id
FROM told JOIN way ON way.begin_id = told.begin_id AND way.parent_id IS NULL AND NOT way.is_trashed
"""

_JOURNAL = """
INSERT INTO sync_change_journal (seq, ordinal, node_id, root_id, old_root_id, happened_at)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::uuid[], %s::uuid[], %s::uuid[], %s::timestamptz[])
ON CONFLICT (seq, ordinal) DO NOTHING
"""

# The top has its row (or has none to have) at 0; here comes what hangs below it, parents first.
_JOURNAL_BELOW = """
WITH RECURSIVE below AS (
    SELECT node_id, 0 AS level FROM sync_node WHERE node_id = %(node_id)s
    UNION ALL
    SELECT child.node_id, below.level + 1 FROM below JOIN sync_node child ON child.parent_id = below.node_id
)
INSERT INTO sync_change_journal (seq, ordinal, node_id, root_id, old_root_id, happened_at)
SELECT %(seq)s, row_number() OVER (ORDER BY level, node_id), node_id, %(root_id)s, NULL, %(happened_at)s FROM below WHERE level > 0
ON CONFLICT (seq, ordinal) DO NOTHING
"""

_OPEN_CONFLICTS = """
INSERT INTO sync_conflict (node_id, original_id, version_id, seq, made_by, device_id, opened_at, resolution)
SELECT told.*, ''
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[], %s::uuid[], %s::timestamptz[]) AS told
ON CONFLICT (node_id) DO NOTHING
"""

# A gap that is filled out of turn is one that devices have read past: none of their cursors fits any more.
_ADVANCE = """
UPDATE sync_feed SET seq = greatest(seq, %(seq)s), epoch = CASE WHEN %(out_of_turn)s THEN %(epoch)s ELSE epoch END
"""


GAINED_SECONDS = 300
"""How long the statement may take that writes a row for each node of a subtree that came back or came from another root. It belongs to one
event, and half of it would be a feed that lies."""


class _Row(NamedTuple):
    """An event that changes one node, as the journal will have it."""

    seq: int
    node_id: UUID
    happened_at: datetime


class _Change(NamedTuple):
    """What an event makes of one node."""

    row: _Row
    state: dict[str, Any]
    is_new: bool
    leaves: bool
    """It goes from where it was: under another folder, or into the trash."""
    is_folder: bool


class _Return(NamedTuple):
    """A node that comes back with all below it."""

    row: _Row
    state: dict[str, Any]


class Batch:
    """What the events of one transaction say, in their order."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self._changes: list[_Change | _Return] = []
        self._forgotten: list[UUID] = []
        self._conflicts: list[tuple[Any, ...]] = []

    def note(self, seq: int) -> None:
        """Take down the number of an event, whatever it is about."""
        self.seqs.append(seq)

    def put(self, published: Published, node_id: UUID, state: dict[str, Any], *, is_new: bool = False) -> None:
        """Say what a node is now; what ``state`` leaves out stays as it was."""
        row = _Row(published.seq, node_id, published.occurred_at)
        self._changes.append(_Change(row, state, is_new=is_new, leaves=False, is_folder=False))

    def put_away(self, published: Published, node_id: UUID, state: dict[str, Any], *, is_folder: bool) -> None:
        """Say what a node is now that is not any more where it was; what ``state`` leaves out stays as it was."""
        row = _Row(published.seq, node_id, published.occurred_at)
        self._changes.append(_Change(row, state, is_new=False, leaves=True, is_folder=is_folder))

    def bring_back(self, published: Published, node_id: UUID, state: dict[str, Any]) -> None:
        """Say that a node is back with all below it."""
        self._changes.append(_Return(_Row(published.seq, node_id, published.occurred_at), state))

    def forget(self, node_ids: Sequence[UUID]) -> None:
        """Say that nodes in the trash are gone for ever."""
        self._forgotten += node_ids

    def open_conflict(self, published: Published, event: VersionCommitted) -> None:
        """Say that a new file keeps what did not fit on another one."""
        self._conflicts.append(
            (
                event.node_id,
                event.conflict_with_id,
                event.version_id,
                published.seq,
                event.actor_id,
                published.device_id,
                published.occurred_at,
            )
        )

    def project(self, tx: db.Transaction) -> None:
        """Write all of it, and let the feed come as far as the last event."""
        with connection.cursor() as cursor:
            cursor.execute(_LOCK)
            feed_seq, horizon = cursor.fetchone()
            changes, out_of_turn = self._leave_out_applied(feed_seq, horizon)
            run: list[_Change] = []
            touched: set[UUID] = set()
            for change in changes:
                # Each row says under which root its node lay at that event, so nothing of a run may take that from what is in it.
                if isinstance(change, _Return) or (
                    change.leaves and (change.is_folder or change.row.node_id in touched)
                ):
                    _write_run(run)
                    run, touched = [], set()
                if isinstance(change, _Return):
                    _write_return(change)
                else:
                    run.append(change)
                    touched.add(change.row.node_id)
            _write_run(run)
            if self._forgotten:
                cursor.execute("DELETE FROM sync_node WHERE node_id = ANY(%s::uuid[])", [self._forgotten])
            if self._conflicts:
                columns = list(zip(*self._conflicts, strict=True))
                cursor.execute(_OPEN_CONFLICTS, [list(column) for column in columns])
            seq = max(*self.seqs, feed_seq)
            cursor.execute(_ADVANCE, {"seq": seq, "out_of_turn": out_of_turn, "epoch": ids.new_id()})
        tenant_id = tenancy.current().id
        tx.after_commit(lambda: wakeups.announce_head(tenant_id, seq))

    def _leave_out_applied(self, feed_seq: int, horizon: int) -> tuple[list[_Change | _Return], bool]:
        """Leave out what had its effect before; tells also whether something is left that others have overtaken."""
        old = [seq for seq in (change.row.seq for change in self._changes) if seq <= feed_seq]
        if not old:
            return self._changes, False
        with connection.cursor() as cursor:
            cursor.execute(_APPLIED, [min(old), max(old)])
            applied = {seq for (seq,) in cursor.fetchall()}
        applied.update(seq for seq in old if seq <= horizon)
        changes = [change for change in self._changes if change.row.seq not in applied]
        return changes, any(change.row.seq <= feed_seq for change in changes)


def _write_run(run: list[_Change]) -> None:
    """Write changes of single nodes: what they are at the end of the run, and one row of the journal for each event.

    At most the first change of a run takes a folder away, and no other one a node that it has touched.
    """
    if not run:
        return
    created: dict[UUID, dict[str, Any]] = {}
    changed: dict[UUID, dict[str, Any]] = {}
    for row, state, is_new, *_ in run:
        if is_new:
            created[row.node_id] = {"is_trashed": False, **state, "node_id": row.node_id}
        elif row.node_id in created:
            created[row.node_id].update(state)
        else:
            changed.setdefault(row.node_id, {"node_id": row.node_id}).update(state)
    roots_before = _find_roots(list(changed))
    with connection.cursor() as cursor:
        if created:
            cursor.execute(_INSERT, _columns_of(list(created.values()), COLUMNS))
        if changed:
            cursor.execute(_UPDATE, _columns_of(list(changed.values()), _UPDATE_COLUMNS))
    roots = _find_roots([*created, *changed])
    _write_journal([change.row for change in run], roots_before, roots)
    # Who reads the root that a folder came to has not seen what lies in it.
    last_rows = {change.row.node_id: change.row for change in run}
    for node_id, before in roots_before.items():
        after = roots.get(node_id)
        if after is not None and after != before:
            _write_journal_below(last_rows[node_id], after)


def _write_return(change: _Return) -> None:
    """Write a node that is back, with a row of the journal for each node below it."""
    row, state = change
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, _columns_of([{"node_id": row.node_id, **state}], _UPDATE_COLUMNS))
    roots = _find_roots([row.node_id])
    _write_journal([row], {}, roots)
    root_id = roots.get(row.node_id)
    if root_id is not None:
        _write_journal_below(row, root_id)


def _find_roots(node_ids: list[UUID]) -> dict[UUID, UUID]:
    """Tell under which root each node lies; what lies in the trash is left out."""
    if not node_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(ROOTS, {"node_ids": node_ids})
        return dict(cursor.fetchall())


def _write_journal(rows: list[_Row], roots_before: dict[UUID, UUID], roots: dict[UUID, UUID]) -> None:
    entries = []
    for row in rows:
        before, after = roots_before.get(row.node_id), roots.get(row.node_id)
        entries.append((row.seq, 0, row.node_id, after, before if before != after else None, row.happened_at))
    with connection.cursor() as cursor:
        cursor.execute(_JOURNAL, [list(column) for column in zip(*entries, strict=True)])


def _write_journal_below(row: _Row, root_id: UUID) -> None:
    db.set_statement_timeout(seconds=GAINED_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            _JOURNAL_BELOW,
            {"node_id": row.node_id, "seq": row.seq, "root_id": root_id, "happened_at": row.happened_at},
        )


def _columns_of(states: list[dict[str, Any]], columns: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [state.get(name) for state in states] for name in columns}
