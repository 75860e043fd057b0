"""The projector: what the events of a transaction say about the tree, written into replica and journal at once.

Events are gathered and folded by node, and a batch of two hundred costs about eight statements: catching up reads thousands of events in
a second. Where a node lies is told by the replica in the order of the stream, never by an event: a commit of content does not wait for a
move of its folder, so what it saw on its way up may have changed before its number.

The journal has a row for the root that a node lies under, and one for each node above it that was ever shared: whoever has such a node as a
scope reads its rows alone. What comes into one of them with all below it has a row for each node below, and what leaves it one for the top.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.sync import sql
from apps.sync.models import ChangeJournal, Conflict, Feed, Node, SharedNode
from bitvault.events.api import Published
from bitvault.events.catalog.files import VersionCommitted
from bitvault.kernel import db, ids, tenancy
from bitvault.web import wakeups

CONSUMER = "sync"
"""Under which name sync reads the stream."""


GAINED_SECONDS = 300
"""How long the statement may take that writes a row for each node of a subtree that came back, or came from another root or into a shared
folder. It belongs to one event, and half of it would be a feed that lies."""


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


class _Share(NamedTuple):
    """A node that somebody was given something on: from now on the journal has rows of its own for it."""

    row: _Row


class _Place(NamedTuple):
    """Where a node lies: its root, and the shared nodes below that which it is or lies in, topmost first."""

    root_id: UUID | None
    """``None`` in the trash."""
    shared_ids: Sequence[UUID]

    @property
    def scope_ids(self) -> list[UUID]:
        """All of them, topmost first."""
        return [*([] if self.root_id is None else [self.root_id]), *self.shared_ids]


Places = dict[UUID, _Place]


class Batch:
    """What the events of one transaction say, in their order."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self._changes: list[_Change | _Return | _Share] = []
        self._forgotten: list[UUID] = []
        self._conflicts: list[Conflict] = []

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

    def share(self, published: Published, node_id: UUID) -> None:
        """Say that a node has become one that somebody may have as a scope."""
        self._changes.append(_Share(_Row(published.seq, node_id, published.occurred_at)))

    def forget(self, node_ids: Sequence[UUID]) -> None:
        """Say that nodes in the trash are gone for ever."""
        self._forgotten += node_ids

    def open_conflict(self, published: Published, event: VersionCommitted, *, original_id: UUID) -> None:
        """Say that a new file keeps what did not fit on another one."""
        self._conflicts.append(
            Conflict(
                node_id=event.node_id,
                original_id=original_id,
                version_id=event.version_id,
                seq=published.seq,
                made_by=event.actor_id,
                device_id=published.device_id,
                opened_at=published.occurred_at,
                resolution="",
            )
        )

    def project(self, tx: db.Transaction) -> None:
        """Write all of it, and let the feed come as far as the last event."""
        feed_seq, horizon = Feed.objects.select_for_update().values_list("seq", "horizon").get()
        changes, out_of_turn = self._leave_out_applied(feed_seq, horizon)
        run: list[_Change] = []
        touched: set[UUID] = set()
        for change in changes:
            # Each row says under which root its node lay at that event, so nothing of a run may take that from what is in it.
            if not isinstance(change, _Change) or (
                change.leaves and (change.is_folder or change.row.node_id in touched)
            ):
                _write_run(run)
                run, touched = [], set()
            match change:
                case _Share(row):
                    # One that is told of out of turn counts from now on: the journal did not know of it before.
                    shared = SharedNode(node_id=row.node_id, seq=max(row.seq, feed_seq))
                    SharedNode.objects.bulk_create([shared], ignore_conflicts=True)
                case _Return():
                    _write_return(change)
                case _:
                    run.append(change)
                    touched.add(change.row.node_id)
        _write_run(run)
        if self._forgotten:
            Node.objects.filter(node_id__in=self._forgotten).delete()
            SharedNode.objects.filter(node_id__in=self._forgotten).delete()
        if self._conflicts:
            Conflict.objects.bulk_create(self._conflicts, ignore_conflicts=True)
        seq = max(*self.seqs, feed_seq)
        _advance(seq, out_of_turn=out_of_turn)
        tenant_id = tenancy.current().id
        tx.after_commit(lambda: wakeups.announce_head(tenant_id, seq))

    def _leave_out_applied(self, feed_seq: int, horizon: int) -> tuple[list[_Change | _Return | _Share], bool]:
        """Leave out what had its effect before; tells also whether something is left that others have overtaken.

        A share has no row in the journal, and does no harm when it is told again.
        """
        old = [one.row.seq for one in self._changes if one.row.seq <= feed_seq and not isinstance(one, _Share)]
        if not old:
            return self._changes, False
        applied = set(ChangeJournal.objects.filter(seq__range=(min(old), max(old))).values_list("seq", flat=True))
        applied.update(seq for seq in old if seq <= horizon)
        changes = [one for one in self._changes if isinstance(one, _Share) or one.row.seq not in applied]
        return changes, any(one.row.seq <= feed_seq and not isinstance(one, _Share) for one in changes)


def _advance(seq: int, *, out_of_turn: bool) -> None:
    """Let the feed come up to an event.

    :param out_of_turn: a gap was filled that devices have read past, so that none of their cursors fits any more.
    """
    begun = {"epoch": ids.new_id()} if out_of_turn else {}
    Feed.objects.update(seq=seq, **begun)


def _write_run(run: list[_Change]) -> None:
    """Write changes of single nodes: what they are at the end of the run, and the rows of the journal for each event.

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
    before = _find_places(list(changed))
    with connection.cursor() as cursor:
        if created:
            cursor.execute(sql.INSERT_NODES, _columns_of(list(created.values()), sql.COLUMNS))
        if changed:
            cursor.execute(sql.UPDATE_NODES, _columns_of(list(changed.values()), sql.UPDATED_COLUMNS))
    after = _find_places([*created, *changed])
    counts = _write_journal([change.row for change in run], before, after)
    # Who reads a scope that a folder came into has not seen what lies in it.
    last_rows = {change.row.node_id: change.row for change in run}
    for node_id, place in before.items():
        entered = [one for one in after[node_id].scope_ids if one not in place.scope_ids] if node_id in after else []
        if entered:
            _write_journal_below(last_rows[node_id], entered, counts[node_id])


def _write_return(change: _Return) -> None:
    """Write a node that is back, with rows of the journal for each node below it.

    It may have lain deep in something that is in the trash, below a shared node that comes back later, without it.
    """
    row, state = change
    with connection.cursor() as cursor:
        cursor.execute(sql.SHARED_ABOVE, [row.node_id])
        before = _Place(None, [shared_id for (shared_id,) in cursor.fetchall()])
    with connection.cursor() as cursor:
        cursor.execute(sql.UPDATE_NODES, _columns_of([{"node_id": row.node_id, **state}], sql.UPDATED_COLUMNS))
    after = _find_places([row.node_id])
    counts = _write_journal([row], {row.node_id: before}, after)
    place = after.get(row.node_id)
    if place is not None:
        _write_journal_below(row, place.scope_ids, counts[row.node_id])


def _find_places(node_ids: list[UUID]) -> Places:
    """Tell where each node lies; what lies in the trash is left out."""
    if not node_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql.PLACES, {"node_ids": node_ids})
        return {node_id: _Place(root_id, shared_ids) for node_id, root_id, shared_ids in cursor.fetchall()}


def _write_journal(rows: list[_Row], before: Places, after: Places) -> dict[UUID, int]:
    """Write the rows of events that change one node each; returns how many rows an event of each node has."""
    entries, counts = [], {}
    for row in rows:
        left, there = before.get(row.node_id), after.get(row.node_id)
        old_root_id, root_id = left and left.root_id, there and there.root_id
        places: list[tuple[UUID | None, UUID | None]] = [
            (root_id, old_root_id if old_root_id != root_id else None),
            *((one, None) for one in (there.shared_ids if there else ())),
            *((None, one) for one in (left.shared_ids if left else ()) if there is None or one not in there.shared_ids),
        ]
        counts[row.node_id] = len(places)
        entries += [(row.seq, ordinal, row.node_id, *place, row.happened_at) for ordinal, place in enumerate(places)]
    with connection.cursor() as cursor:
        cursor.execute(sql.WRITE_JOURNAL, [list(column) for column in zip(*entries, strict=True)])
    return counts


def _write_journal_below(row: _Row, entered: list[UUID], count: int) -> None:
    """Write a row for each node below one, and each scope that they have come into with it.

    :param count: how many rows the event has already.
    """
    db.set_statement_timeout(seconds=GAINED_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.WRITE_JOURNAL_BELOW,
            {
                "node_id": row.node_id,
                "seq": row.seq,
                "ordinal": count - 1,
                "entered": entered,
                "happened_at": row.happened_at,
            },
        )


def _columns_of(states: list[dict[str, Any]], columns: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [state.get(name) for state in states] for name in columns}
