"""The feed: what a device is told next. Rights are judged here, at the moment of reading, by the roots that the actor reaches now.

A root that the device knows and the actor does not reach any more is removed. One that the actor reaches and the device does not know
comes as a subtree of one instant, and then the journal goes on from where the device was: entries only say where to look, so what they
name twice does no harm. What is gone is told last, when the device has been told what is there up to the same instant: an entry shows its
node as it is now, so a folder that lies in the trash by now would be dropped with all that was moved out of it in between, and of that
only the top has an entry. A root that gives other rights than the device was told is told anew; what lies below has the rights of its root.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from apps.sync import dtos, obtaining, positions, queries, snapshots
from apps.sync.errors import CursorExpired
from apps.sync.positions import Position, Rights
from apps.sync.queries import Entry, Standing, States
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor


def list_changes(actor: Actor, position: Position, rights: Rights, *, limit: int) -> dtos.Changes:
    """Read the next page of changes behind a position."""
    pages.require_limit(limit)
    # One instant: the journal could be trimmed, or a node move, between what one statement sees and what the next one does.
    with db.read_transaction(frozen=True):
        standing = queries.require_standing(actor, position)
        page = _list_what_is_known(standing, position, rights, limit)
    if page is not None:
        if position.snapshot_id is not None:
            snapshots.touch(position.snapshot_id)
        return page
    # There are roots that the device does not know: they are written down first, and then read like any snapshot.
    gained = {root_id: given for root_id, given in rights.items() if root_id not in position.root_ids}
    # What the journal tells behind the position is not told of them again: they are as of there at least.
    snapshot_id = obtaining.obtain(actor, position.device_id, gained, least_seq=position.seq)
    begun = replace(position, snapshot_id=snapshot_id, snapshot_ordinal=0)
    with db.read_transaction(frozen=True):
        standing = queries.require_standing(actor, begun)
        return _list_gained(standing, begun, rights, limit)


def _list_what_is_known(standing: Standing, position: Position, rights: Rights, limit: int) -> dtos.Changes | None:
    lost = position.root_ids - frozenset(rights)
    if position.snapshot_id is not None:
        frame = snapshots.find(position.snapshot_id, position.device_id)
        if frame is None:
            raise CursorExpired
        lost |= frozenset(frame.root_ids) - frozenset(rights)
        if not lost:
            return _list_gained(standing, position, rights, limit)
    if lost:
        items = [queries.removal(position.seq, root_id) for root_id in sorted(lost)]
        return _answer(standing, items, position.forgetting(lost), has_more=True)
    if frozenset(rights) - position.root_ids:
        return None
    others = position.told_otherwise(rights)
    if others:
        states = queries.find_states(others)
        items = [queries.upsert(position.seq, states[one][1], rights[one]) for one in sorted(others) if one in states]
        return _answer(standing, items, position.knowing(others), has_more=True)
    return _list_journal(standing, position, rights, limit)


def _list_gained(standing: Standing, position: Position, rights: Rights, limit: int) -> dtos.Changes:
    """Read on in the subtrees that are new to the device; behind their end it knows their roots."""
    if position.snapshot_id is None:
        raise CursorExpired
    frame = snapshots.require(position.snapshot_id, position.device_id, rights)
    rows = queries.list_items(frame.id, after=position.snapshot_ordinal, limit=limit + 1)
    items = [queries.upsert(frame.seq, state, rights[root_id]) for _, root_id, state in rows[:limit]]
    is_end = len(rows) <= limit
    there = position.knowing(frame.told) if is_end else replace(position, snapshot_ordinal=rows[limit - 1][0])
    # A subtree is older than what the journal holds, and than the rights of now: only behind both the device's tree is whole.
    more = not is_end or there.complete_seq < standing.seq or bool(there.told_otherwise(rights))
    return _answer(standing, items, there, has_more=more)


def _list_journal(standing: Standing, position: Position, rights: Rights, limit: int) -> dtos.Changes:
    # Most devices ask in vain most of the time.
    if position.complete_seq >= standing.seq:
        return _answer(standing, [], position.told(standing.seq).swept(standing.seq), has_more=False)
    entries = queries.list_entries(position.root_ids, (position.seq, position.ordinal), standing.seq, limit + 1)
    if len(entries) > limit:
        entries = entries[:limit]
        states = queries.find_states({entry.node_id for entry in entries})
        there = position.told(entries[-1].seq, entries[-1].ordinal)
        return _answer(standing, _list_upserts(entries, states, rights), there, has_more=True)
    there = position.told(standing.seq)
    if position.is_swept:
        left, there = entries, there.swept(standing.seq)
    else:
        left, there = _list_unswept(standing, there, limit - len(entries))
    states = queries.find_states({entry.node_id for entry in (*entries, *left)}) if entries or left else {}
    items = _list_upserts(entries, states, rights)
    # Numbers do not fall within a device's log: what is gone is told with the number up to which it was told what is there.
    least = items[-1].seq if items else 0 if position.is_swept else position.seq
    items += _list_removals(left, states, rights, least)
    return _answer(standing, items, there, has_more=there.complete_seq < standing.seq)


def _list_unswept(standing: Standing, there: Position, room: int) -> tuple[list[Entry], Position]:
    """List rows of which the device was told what is there, but not yet what is gone; as many as there is room for."""
    swept = (there.swept_seq, there.swept_ordinal)
    left = queries.list_entries(there.root_ids, swept, standing.seq, room + 1)
    if len(left) <= room:
        return left, there.swept(standing.seq)
    left = left[:room]
    return left, there.swept(left[-1].seq, left[-1].ordinal) if left else there


def _list_upserts(entries: list[Entry], states: States, rights: Rights) -> list[dtos.Change]:
    """Each node once, at its last row: all rows of a node lead to the same state."""
    items = []
    for entry in _last_rows(entries):
        found = states.get(entry.node_id)
        if found is not None and found[0] in rights:
            items.append(queries.upsert(entry.seq, found[1], rights[found[0]]))
    return items


def _list_removals(entries: list[Entry], states: States, rights: Rights, least: int) -> list[dtos.Change]:
    return [
        queries.removal(max(entry.seq, least), entry.node_id)
        for entry in _last_rows(entries)
        if entry.node_id not in states or states[entry.node_id][0] not in rights
    ]


def _last_rows(entries: list[Entry]) -> list[Entry]:
    last = {entry.node_id: entry for entry in entries}
    return [entry for entry in entries if last[entry.node_id] is entry]


def _answer(standing: Standing, items: Sequence[dtos.Change], there: Position, *, has_more: bool) -> dtos.Changes:
    return dtos.Changes(
        items=items, cursor=there.encode(), has_more=has_more, head_seq=standing.seq, as_of_seq=standing.seq
    )


def list_snapshot(
    actor: Actor, device_id: UUID, cursor: str | None, rights: Rights, *, limit: int, min_seq: int = 0
) -> dtos.SnapshotPage:
    """Read a page of everything that the actor reaches, as of the instant of the first page."""
    pages.require_limit(limit)
    snapshot_id, after = positions.decode_page(cursor, device_id) if cursor is not None else (None, 0)
    if snapshot_id is None:
        with db.read_transaction():
            queries.require_device(actor, device_id)
        snapshot_id = obtaining.obtain(actor, device_id, rights, least_seq=obtaining.find_least_seq(device_id, min_seq))
    with db.read_transaction(frozen=True):
        standing = queries.require_device(actor, device_id)
        frame = snapshots.require(snapshot_id, device_id, rights)
        # Its changes could not be read on any more: the rest of it is of no use.
        if frame.epoch != standing.epoch or frame.seq < standing.horizon:
            raise CursorExpired
        rows = queries.list_items(frame.id, after=after, limit=limit + 1)
    snapshots.touch(frame.id, last_used_at=frame.last_used_at)
    more = len(rows) > limit
    end = positions.begin(device_id, frame.epoch, frame.seq, frame.told)
    return dtos.SnapshotPage(
        items=[queries.to_node(state, rights[root_id]) for _, root_id, state in rows[:limit]],
        next_cursor=positions.encode_page(device_id, frame.id, rows[limit - 1][0]) if more else None,
        cursor=None if more else end.encode(),
        as_of_seq=frame.seq,
    )
