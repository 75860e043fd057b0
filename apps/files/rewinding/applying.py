"""Carrying out a rewind, a batch in each transaction: nodes go into the trash, back to where they were, and get their versions back.

Each batch holds the tenant's tree and its commits of content, reads what it needs in some ten statements whatever its size, judges every
item by what is there now, and writes in another ten. What cannot be done yet, since a folder is not back or a name not free, waits for
the next turn over what is left; a turn that gets nothing done is the last one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Sum

from apps.files import errors
from apps.files.models import Rewind, RewindItem, Trash, Version
from apps.files.operations.structure import write_move
from apps.files.past_models import RewindAction
from apps.files.rewinding import sql, writing
from apps.files.rewinding.writing import Content, Placed, Trashed
from apps.files.rows import NodeRow, Way, execute, fetch_all, fetch_one, find_ways
from apps.files.tree import find_free_name, judge_place, tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeMoved
from bitvault.kernel import clock, names
from bitvault.kernel.request import current_request_id, set_request_id

BATCH = 500
"""Nodes in one transaction: some 200 ms under the tree lock."""

WAITING = "~"
"""What the reason of an item begins with that may still be done."""

IN_TRASH = "in_trash"
"""Why something waits that lies in the trash: of what was to go there, it is what was wanted; what others have put there stays."""

_PLACING = RewindAction.MOVE | RewindAction.RESTORE


class Item(NamedTuple):
    """What is wanted of one node: fields of ``RewindItem``."""

    position: int
    node_id: UUID
    actions: int
    to_parent_id: UUID | None
    to_name: str
    to_version_id: UUID | None
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewoundBatch:
    """What one transaction has done: how many items are settled, up to which position, and how many bytes its versions take."""

    settled_count: int
    position: int | None
    """``None`` when nothing is left behind the position that it began at."""
    size_bytes: int


@dataclass
class _Batch:
    """The items of a transaction, what is there now, and what becomes of them."""

    rewind_id: UUID
    is_of_actor: bool
    """Whether it takes back what one actor did: then what others did to what lies around stays."""
    items: Sequence[Item]
    nodes: dict[UUID, NodeRow]
    ways: dict[UUID, Way]
    """From the folders that nodes lie in, or are to lie in, up."""
    lasting: set[UUID]
    """Tops in the trash that are not being purged."""
    holding: set[UUID]
    """New folders that hold something which is to stay."""
    versions: set[UUID]
    """Versions that are to come back and are still there."""
    locked: dict[UUID, bool]
    """Locked files and what they lie in, and whether the locks are the requester's own."""
    trashed: list[Trashed] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    cut_ids: set[UUID] = field(default_factory=set)
    gains: dict[UUID, int] = field(default_factory=dict)
    outcomes: dict[int, tuple[int, str]] = field(default_factory=dict)

    def settle(self, item: Item, outcome: int, reason: str = "") -> None:
        self.outcomes[item.position] = (outcome, reason)

    def wait(self, item: Item, reason: str) -> None:
        self.settle(item, _PENDING, f"{WAITING}{reason}")

    def keep(self, item: Item, reason: str) -> None:
        self.settle(item, _KEPT, reason)

    def find_way(self, node: NodeRow) -> Way:
        above = self.ways.get(node.parent_id) if node.parent_id is not None else None
        return Way([node] if above is None else [node, *above.rows])

    def is_cut(self, way: Way) -> bool:
        return bool(self.cut_ids) and any(row.id in self.cut_ids for row in way.rows)


_PENDING, _DONE, _KEPT = 0, 1, 2


def measure(rewind_id: UUID, after: int) -> int:
    """Tell how many bytes the versions of the next batch take at most."""
    return _list_pending(rewind_id, after)[:BATCH].aggregate(size=Sum("size_bytes"))["size"] or 0


def _list_pending(rewind_id: UUID, after: int) -> QuerySet[RewindItem]:
    pending = RewindItem.objects.filter(rewind_id=rewind_id, outcome=_PENDING, position__gt=after)
    return pending.order_by("position")


def apply_batch(
    *, rewind_id: UUID, user_id: UUID, after: int, charge_id: UUID | None = None, limit: int = BATCH
) -> RewoundBatch:
    """Carry out the next items behind a position, in one transaction; what fits nowhere any more is kept, with the reason."""
    with _named(rewind_id), tree_transaction(holds_commits=True):
        batch = _read(rewind_id, user_id, after, limit)
        for item in batch.items:
            _judge(batch, item)
        _free_names(batch, user_id)
        size_bytes = writing.write(
            trashed=batch.trashed, placed=batch.placed, contents=batch.contents, user_id=user_id, now=clock.now()
        )
        if charge_id is not None:
            Rewind.objects.filter(id=rewind_id).update(charge_id=charge_id, charge_bytes=size_bytes)
        execute(
            sql.SETTLE,
            {
                "rewind_id": rewind_id,
                "positions": list(batch.outcomes),
                "outcomes": [outcome for outcome, _ in batch.outcomes.values()],
                "reasons": [reason for _, reason in batch.outcomes.values()],
            },
        )
    return RewoundBatch(
        settled_count=sum(outcome != _PENDING for outcome, _ in batch.outcomes.values()),
        position=batch.items[-1].position if len(batch.items) == limit else None,
        size_bytes=size_bytes,
    )


@contextmanager
def _named(rewind_id: UUID) -> Iterator[None]:
    """Let all events tell which rewind they belong to."""
    before = current_request_id()
    set_request_id(str(rewind_id))
    try:
        yield
    finally:
        set_request_id(before)


def _read(rewind_id: UUID, user_id: UUID, after: int, limit: int) -> _Batch:
    items = [Item._make(row) for row in _list_pending(rewind_id, after).values_list(*Item._fields)[:limit]]
    nodes = {row[0]: NodeRow._make(row) for row in fetch_all(sql.NODES, [[item.node_id for item in items]])}
    folders = {node.parent_id for node in nodes.values()} | {item.to_parent_id for item in items}
    ways = find_ways(folders)
    tops = {way.root.id for way in ways.values() if not way.is_live}
    tops |= {node.id for node in nodes.values() if node.trashed_at is not None}
    lasting = set(Trash.objects.filter(node_id__in=tops, purging=False).values_list("node_id", flat=True))
    new_folders = [
        item.node_id
        for item in items
        if item.actions & RewindAction.TRASH and item.node_id in nodes and nodes[item.node_id].is_folder
    ]
    holding = set()
    if new_folders:
        holding = {row[0] for row in fetch_all(sql.HOLDING, {"rewind_id": rewind_id, "ids": new_folders})}
    wanted = [item.to_version_id for item in items if item.to_version_id is not None]
    versions = set(Version.objects.filter(id__in=wanted).values_list("id", flat=True))
    locked = {row[0]: row[1] for row in fetch_all(sql.LOCKED, {"user_id": user_id, "now": clock.now()})}
    is_of_actor = Rewind.objects.filter(id=rewind_id).exclude(by_kind="").exists()
    return _Batch(rewind_id, is_of_actor, items, nodes, ways, lasting, holding, versions, locked)


def _judge(batch: _Batch, item: Item) -> None:
    """Decide what becomes of one item; names are looked at later, for all."""
    node = batch.nodes.get(item.node_id)
    if node is None:
        return batch.keep(item, "purged")
    way = batch.find_way(node)
    if not batch.locked.get(node.id, True) or (node.id in batch.locked and item.actions & RewindAction.TRASH):
        return batch.keep(item, "locked")
    if item.actions & RewindAction.TRASH:
        return _judge_trashing(batch, item, way)
    if node.revision != item.revision:
        return batch.keep(item, "changed_meanwhile")
    if not way.is_live and way.root.id not in batch.lasting:
        return batch.keep(item, "purged")
    is_to_return = item.actions & (RewindAction.RESTORE if batch.is_of_actor else _PLACING)
    if not way.is_live and not is_to_return:
        return batch.wait(item, IN_TRASH)
    if item.actions & _PLACING:
        return _judge_place(batch, item, way)
    return _accept(batch, item, node)


def _judge_trashing(batch: _Batch, item: Item, way: Way) -> None:
    if batch.is_cut(way):
        return batch.settle(item, _DONE)  # it goes with what it lies in
    if not way.is_live:
        return batch.wait(item, IN_TRASH)  # what it lies in may come back
    if way.node.revision != item.revision:
        return batch.keep(item, "changed_meanwhile")
    if way.node.id in batch.holding:
        return batch.wait(item, "holds_others")
    batch.cut_ids.add(way.node.id)
    batch.trashed.append(Trashed(way))
    return batch.settle(item, _DONE)


def _judge_place(batch: _Batch, item: Item, way: Way) -> None:
    node = way.node
    target = batch.ways.get(item.to_parent_id) if item.to_parent_id is not None else None
    if target is None:
        return batch.keep(item, "parent_gone")
    if not target.is_live or batch.is_cut(target):
        return batch.wait(item, "parent_gone")
    if target.passes(node.id):
        return batch.wait(item, "cycle")
    name, gains = names.of_stored(item.to_name), int(node.parent_id != target.node.id)
    here = batch.gains.get(target.node.id, 0)
    crowded = Way([target.node._replace(child_count=target.node.child_count + here), *target.rows[1:]])
    try:
        below = judge_place(node, crowded, name, gains=gains)
    except (errors.TooDeep, errors.PathTooLong, errors.TooManyChildren) as error:
        return batch.keep(item, error.code.removeprefix("files."))
    batch.gains[target.node.id] = here + gains
    batch.placed.append(Placed(item, way, target, name, below))
    return _accept(batch, item, node)


def _accept(batch: _Batch, item: Item, node: NodeRow) -> None:
    if item.to_version_id is None:
        batch.settle(item, _DONE)
    elif item.to_version_id in batch.versions:
        batch.contents.append(Content(item.node_id, node, item.to_version_id))
        batch.settle(item, _DONE)
    else:
        batch.settle(item, _DONE if item.actions & _PLACING else _KEPT, "version_gone")


def _free_names(batch: _Batch, user_id: UUID) -> None:
    """Make room for the names that come back.

    What has one of them may leave in this transaction; if it leaves later it gets a number until then, and if it stays, what comes back
    gets the number: both are kept.
    """
    wanted: dict[tuple[UUID, str], Placed] = {}
    for one in list(batch.placed):
        if wanted.setdefault(one.place, one) is not one:
            _withdraw(batch, one)
    if not wanted:
        return
    rows = fetch_all(sql.OCCUPANTS, [[place[0] for place in wanted], [place[1] for place in wanted]])
    taken = {(row[0], row[1]): row[2] for row in rows}
    moving = {one.node.id for one in batch.placed} | batch.cut_ids
    others = {node_id for node_id in taken.values() if node_id not in moving}
    leaving = {row[0] for row in fetch_all(sql.LEAVING, [batch.rewind_id, list(others)])} if others else set()
    for place, node_id in taken.items():
        one = wanted[place]
        if node_id == one.node.id or node_id in batch.cut_ids:
            continue
        if node_id in moving:
            one.swaps_with = node_id
        elif node_id in leaving:
            _step_aside(batch, one, node_id, user_id)
        else:
            free = find_free_name(place[0], one.name, is_folder=one.node.is_folder)
            if (place[0], free.key) in wanted:
                _withdraw(batch, one)
            else:
                one.name = free
    _withdraw_left(batch)


def _withdraw_left(batch: _Batch) -> None:
    """Leave whatever would have changed places with something that stays for now."""
    left = True
    while left:
        moving = {one.node.id for one in batch.placed}
        left = False
        for one in list(batch.placed):
            if one.swaps_with is not None and one.swaps_with not in moving:
                _withdraw(batch, one)
                left = True


def _withdraw(batch: _Batch, one: Placed) -> None:
    """Leave an item for the next turn: another one that comes back now has the name that it would have."""
    batch.placed.remove(one)
    batch.contents[:] = [content for content in batch.contents if content.node_id != one.node.id]
    batch.wait(one.item, "name_taken")


def _step_aside(batch: _Batch, one: Placed, node_id: UUID, user_id: UUID) -> None:
    """Give a number to what has the name of something that comes back, and is to leave later itself."""
    node, parent = NodeRow._make(fetch_one(sql.NODES, [[node_id]])), one.target
    free = find_free_name(parent.node.id, names.of_stored(node.name), is_folder=node.is_folder)
    try:
        row = write_move(node, parent, free, None, None)
    except (errors.TooDeep, errors.PathTooLong):
        row = None
    if row is None:
        return _withdraw(batch, one)
    publish(
        NodeMoved(
            actor_id=user_id,
            node_id=row.id,
            kind=row.kind_name,
            parent_id=parent.node.id,
            old_parent_id=node.parent_id,
            name=row.name,
            old_name=node.name,
            revision=row.revision,
            media_type=None if row.is_folder else row.media_type,
        )
    )
    RewindItem.objects.filter(rewind_id=batch.rewind_id, node_id=node_id).update(revision=row.revision)
    return None
