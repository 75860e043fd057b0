"""The feed: what a device is told next. Rights are judged here, at the moment of reading, by the scopes that the actor has now.

A scope that the device knows and the actor has no more is removed. One that the actor has and the device does not know comes as a subtree
of one instant, and then the journal goes on from where the device was: entries only say where to look, so what they name twice does no
harm. What is gone is told last, when the device has been told what is there up to the same instant: an entry shows its node as it is now,
so a folder that lies in the trash by now would be dropped with all that was moved out of it in between, and of that only the top has an
entry. A scope, or a node inside of one, that gives other rights than the device was told is told anew; what lies below has its rights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from apps.sync import dtos, obtaining, positions, queries, scope_sets, scopes, snapshots
from apps.sync.errors import CursorExpired
from apps.sync.positions import Position, Told
from apps.sync.queries import Entry, Found, Standing, States
from apps.sync.scopes import Grants, Scopes
from apps.sync.snapshots import Frame
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class _Page:
    """What is told, and where the device is then."""

    items: Sequence[dtos.Change]
    there: Position
    has_more: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one answer is given by: how far the feed is, what the actor has at that instant, and how much fits."""

    standing: Standing
    scopes: Scopes
    limit: int

    def upsert(self, seq: int, found: Found) -> dtos.Change:
        """Tell what a node is that the actor may see."""
        hides = found.state.node_id in self.scopes.tops
        return queries.upsert(seq, queries.to_node(found.state, self.scopes.find_mask(found.path), hides_parent=hides))

    def shows(self, found: Found | None) -> bool:
        """Tell whether the actor may see a node."""
        return found is not None and self.scopes.find_mask(found.path) != 0


def list_changes(actor: Actor, position: Position, grants: Grants, *, limit: int) -> dtos.Changes:
    """Read the next page of changes behind a position."""
    pages.require_limit(limit)
    # One instant: the journal could be trimmed, or a node move, between what one statement sees and what the next one does.
    with db.read_transaction(frozen=True):
        standing = queries.require_standing(actor, position)
        # Most devices ask in vain most of the time, and then nothing more is read.
        if position.grants == grants.digest and position.complete_seq >= standing.seq:
            return _to_changes(standing, [], positions.encode(position), has_more=False)
        reading = _Reading(standing, scopes.find(grants), limit)
        position = scope_sets.load(position)
        page = _list_known(reading, position)
    if page is not None:
        if position.snapshot_id is not None:
            snapshots.touch(position.snapshot_id)
        return _answer(standing, page, grants)
    # There are scopes that the device does not know: they are written down first, and then read like any snapshot.
    gained = reading.scopes.only(reading.scopes.tops.keys() - position.scopes.keys())
    # What the journal tells behind the position is not told of them again: they are as of there at least.
    snapshot_id = obtaining.obtain(actor, position.device_id, gained, least_seq=position.seq)
    begun = replace(position, snapshot_id=snapshot_id, snapshot_ordinal=0)
    with db.read_transaction(frozen=True):
        standing = queries.require_standing(actor, begun)
        reading = _Reading(standing, scopes.find(grants), limit)
        page = _list_gained(reading, begun, snapshots.require(snapshot_id, begun.device_id, reading.scopes))
    return _answer(standing, page, grants)


def _list_known(reading: _Reading, position: Position) -> _Page | None:
    """Read on in what the device knows; ``None`` where there are scopes that it does not know."""
    tops, limit = reading.scopes.tops, reading.limit
    lost = sorted(position.scopes.keys() - tops.keys())[:limit]
    if position.snapshot_id is not None and not lost:
        frame = snapshots.find(position.snapshot_id, position.device_id)
        if frame is None:
            raise CursorExpired
        lost = sorted(frozenset(frame.root_ids) - tops.keys())
        if not lost:
            return _list_gained(reading, position, frame)
        if len(lost) > limit:
            raise CursorExpired
    if lost:
        items = [queries.removal(position.seq, node_id) for node_id in lost]
        return _Page(items, position.forgetting(lost), has_more=True)
    if tops.keys() - position.scopes.keys():
        return None
    others = _list_told_otherwise(reading.scopes, position)[:limit]
    if others:
        return _list_masks(reading, position, others)
    return _list_journal(reading, position)


def _list_told_otherwise(mine: Scopes, position: Position) -> list[UUID]:
    """List scopes and inner nodes of which the device was told another mask than they have, and nodes that are inner ones no more."""
    now = {**mine.inner, **mine.tops}
    told = {node_id: one.mask for node_id, one in position.told.items()}
    return sorted(one for one in now.keys() | told.keys() if now.get(one) != told.get(one))


def _list_masks(reading: _Reading, position: Position, node_ids: Sequence[UUID]) -> _Page:
    states = queries.find_states(node_ids)
    shown = [one for one in node_ids if reading.shows(states.get(one))]
    # A folder before what lies in it: its mask passes to all below that had the same one.
    shown.sort(key=lambda one: len(states[one].path))
    items = [reading.upsert(position.seq, states[one]) for one in shown]
    tops, inner = reading.scopes.tops, reading.scopes.inner
    known = {
        one: position.told[one]._replace(mask=tops[one]) if one in tops else Told(inner[one], None)
        for one in node_ids
        if one in tops or one in inner
    }
    return _Page(items, position.forgetting(node_ids).knowing(known), has_more=True)


def _list_gained(reading: _Reading, position: Position, frame: Frame) -> _Page:
    """Read on in the subtrees that are new to the device; behind their end it knows their scopes."""
    rows = queries.list_items(frame.id, after=position.snapshot_ordinal, limit=reading.limit + 1)
    told, shown = frame.told, rows[: reading.limit]
    items = [queries.upsert(frame.seq, queries.to_node(state, told[head_id].mask)) for _, head_id, state in shown]
    is_end = len(rows) <= reading.limit
    there = position.knowing(told) if is_end else replace(position, snapshot_ordinal=shown[-1][0])
    # A subtree is older than what the journal holds, and than the rights of now: only behind both the device's tree is whole.
    is_whole = is_end and there.complete_seq >= reading.standing.seq and not _list_told_otherwise(reading.scopes, there)
    return _Page(items, there, has_more=not is_whole)


def _list_journal(reading: _Reading, position: Position) -> _Page:
    standing, limit = reading.standing, reading.limit
    if position.complete_seq >= standing.seq:
        return _Page([], position.read(standing.seq).swept(standing.seq), has_more=False)
    entries = queries.list_entries(position.scopes, (position.seq, position.ordinal), standing.seq, limit + 1)
    if len(entries) > limit:
        entries = entries[:limit]
        states = queries.find_states({entry.node_id for entry in entries})
        there = position.read(entries[-1].seq, entries[-1].ordinal)
        return _Page(_list_upserts(entries, states, reading), there, has_more=True)
    there = position.read(standing.seq)
    if position.is_swept:
        left, there = entries, there.swept(standing.seq)
    else:
        left, there = _list_unswept(standing, there, limit - len(entries))
    states = queries.find_states({entry.node_id for entry in (*entries, *left)}) if entries or left else {}
    items = _list_upserts(entries, states, reading)
    # Numbers do not fall within a device's log: what is gone is told with the number up to which it was told what is there.
    least = items[-1].seq if items else 0 if position.is_swept else position.seq
    items += _list_removals(left, states, reading, least)
    return _Page(items, there, has_more=there.complete_seq < standing.seq)


def _list_unswept(standing: Standing, there: Position, room: int) -> tuple[list[Entry], Position]:
    """List rows of which the device was told what is there, but not yet what is gone; as many as there is room for."""
    swept = (there.swept_seq, there.swept_ordinal)
    left = queries.list_entries(there.scopes, swept, standing.seq, room + 1)
    if len(left) <= room:
        return left, there.swept(standing.seq)
    left = left[:room]
    return left, there.swept(left[-1].seq, left[-1].ordinal) if left else there


def _list_upserts(entries: list[Entry], states: States, reading: _Reading) -> list[dtos.Change]:
    """Each node once, at its last row: all rows of a node lead to the same state."""
    return [
        reading.upsert(entry.seq, states[entry.node_id])
        for entry in _last_rows(entries)
        if reading.shows(states.get(entry.node_id))
    ]


def _list_removals(entries: list[Entry], states: States, reading: _Reading, least: int) -> list[dtos.Change]:
    return [
        queries.removal(max(entry.seq, least), entry.node_id)
        for entry in _last_rows(entries)
        if not reading.shows(states.get(entry.node_id))
    ]


def _last_rows(entries: list[Entry]) -> list[Entry]:
    last = {entry.node_id: entry for entry in entries}
    return [entry for entry in entries if last[entry.node_id] is entry]


def _answer(standing: Standing, page: _Page, grants: Grants) -> dtos.Changes:
    there = replace(page.there, grants="" if page.has_more else grants.digest)
    return _to_changes(standing, page.items, scope_sets.encode(there), has_more=page.has_more)


def _to_changes(standing: Standing, items: Sequence[dtos.Change], cursor: str, *, has_more: bool) -> dtos.Changes:
    return dtos.Changes(items=items, cursor=cursor, has_more=has_more, head_seq=standing.seq, as_of_seq=standing.seq)


def list_snapshot(
    actor: Actor, device_id: UUID, cursor: str | None, grants: Grants, *, limit: int, min_seq: int = 0
) -> dtos.SnapshotPage:
    """Read a page of everything that the actor reaches, as of the instant of the first page."""
    pages.require_limit(limit)
    snapshot_id, after = positions.decode_page(cursor, device_id) if cursor is not None else (None, 0)
    if snapshot_id is None:
        with db.read_transaction(frozen=True):
            queries.require_device(actor, device_id)
            mine = scopes.find(grants)
        snapshot_id = obtaining.obtain(actor, device_id, mine, least_seq=obtaining.find_least_seq(device_id, min_seq))
    with db.read_transaction(frozen=True):
        standing = queries.require_device(actor, device_id)
        frame = snapshots.require(snapshot_id, device_id, scopes.find(grants))
        # Its changes could not be read on any more: the rest of it is of no use.
        if frame.epoch != standing.epoch or frame.seq < standing.horizon:
            raise CursorExpired
        rows = queries.list_items(frame.id, after=after, limit=limit + 1)
    snapshots.touch(frame.id, last_used_at=frame.last_used_at)
    told = frame.told
    more = len(rows) > limit
    end = positions.begin(device_id, frame.epoch, frame.seq, told)
    return dtos.SnapshotPage(
        items=[queries.to_node(state, told[head_id].mask) for _, head_id, state in rows[:limit]],
        next_cursor=positions.encode_page(device_id, frame.id, rows[limit - 1][0]) if more else None,
        cursor=None if more else scope_sets.encode(end),
        as_of_seq=frame.seq,
    )
