"""Out of the trash: to where a node was, else to the nearest folder above that is there, whatever the order of a set.

The folder that a node was in may lie in the trash itself, or below something that does, or be deleted permanently. Then the way up goes on
through the trash: from the top of what was trashed to where that was, until it leads through live folders alone.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from apps.files import access, limits, locks
from apps.files.admitting import require_place
from apps.files.dtos import OnConflict, RestoredNode, RestoredTo, RestoreOutcome
from apps.files.models import Displaced, Trash
from apps.files.operations.structure import tell_move, write_move
from apps.files.operations.trash import cut_off, write_restore
from apps.files.rows import (
    NodeRow,
    Way,
    fetch_all,
    find_way,
    find_ways,
)
from apps.files.sql.trash import CLIMB_ONE, CLIMB_TOPS
from apps.files.tree import find_sibling, judge_place, place, require_folder, tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeRestored
from bitvault.kernel import db, file_rules, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.denials import note_denied_item
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.kernel.file_rules import FileRules
from bitvault.kernel.names import Name


def restore(
    *, actor: Actor, node_id: UUID, parent_id: UUID | None, name: Name | None, on_conflict: OnConflict
) -> RestoredNode:
    """Take a node, with all that went with it, out of the trash. A team folder that has ended comes back otherwise (``teams``)."""
    vault_rules = file_rules.current()
    with tree_transaction(holds_commits=on_conflict == "replace") as tx:
        restored = tx.answer(_restore(actor, node_id, parent_id, name, on_conflict, vault_rules))
    _bring_home(actor, [node_id])
    return restored


def restore_set(*, actor: Actor, node_ids: Sequence[UUID], on_conflict: OnConflict) -> list[RestoreOutcome]:
    """Take several nodes out of the trash, folders before what was in them, each as far as it goes; outcomes in the order of the ids.

    One that is live already stays where it is, so that a set whose answer was lost can be sent again.
    """
    ordered = _sort_folders_first(set(node_ids))
    outcomes: dict[UUID, RestoreOutcome] = {}
    for start in range(0, len(ordered), limits.RESTORE_BATCH):
        with tree_transaction(holds_commits=on_conflict == "replace"):
            for node_id in ordered[start : start + limits.RESTORE_BATCH]:
                outcomes[node_id] = _try_restore(actor, node_id, on_conflict)
    _bring_home(actor, [outcome.id for outcome in outcomes.values() if outcome.node is not None])
    return [outcomes[node_id] for node_id in node_ids]


def _bring_home(actor: Actor, restored_ids: list[UUID]) -> None:
    """Move what came back before its folder did to where it was, now that folders are back, unless somebody has moved it since.

    So the order of restores never changes the tree. Each step is a transaction of its own; what is left of an interrupted run goes home
    with the next folder above it that comes back.
    """
    # Nearly always nothing waits, and then the tree is not locked for it.
    waiting = Displaced.objects.filter(waits_for_ids__overlap=restored_ids).order_by("node_id")
    while _is_any(waiting):
        with tree_transaction():
            some = list(waiting[: limits.RESTORE_BATCH])
            Displaced.objects.filter(node_id__in=[one.node_id for one in some]).delete()
            for one in some:
                _bring_one_home(actor, one.node_id, names.of_stored(one.name), one.origin_ids)


def _is_any(waiting: QuerySet[Displaced]) -> bool:
    with db.read_transaction():
        return waiting.exists()


def _bring_one_home(actor: Actor, node_id: UUID, name: Name, origin_ids: list[UUID]) -> None:
    way = find_way(node_id, actor)
    nearest, waits_for_ids = find_nearest(actor, origin_ids)
    if way is None or nearest is None or nearest.passes(node_id) or not _may_move(actor, way, nearest):
        return
    node = way.node
    if nearest.node.id != node.parent_id:
        try:
            row = place(
                nearest,
                name,
                lambda free: write_move(node, nearest, free, None, None),
                autorename=True,
                is_folder=node.is_folder,
            )
        except BitVaultError:
            return  # it does not fit there; judged before anything was written
        publish(tell_move(actor, way, row, nearest))
    if waits_for_ids:
        _displace(node_id, name, origin_ids, waits_for_ids)


def _displace(node_id: UUID, name: Name, origin_ids: list[UUID], waits_for_ids: list[UUID]) -> None:
    row = Displaced(node_id=node_id, name=name.text, origin_ids=origin_ids, waits_for_ids=waits_for_ids)
    facts = ["name", "origin_ids", "waits_for_ids"]
    Displaced.objects.bulk_create([row], update_conflicts=True, unique_fields=["node_id"], update_fields=facts)


def _may_move(actor: Actor, way: Way, target: Way) -> bool:
    may = access.find_mask(actor, way) & Capability.EDIT and access.find_mask(actor, target) & Capability.ADD
    return bool(may) and locks.is_free(actor, way)


def _sort_folders_first(node_ids: set[UUID]) -> list[UUID]:
    """Sort nodes of the trash so that what others of the set were in comes before those; among the others the older first."""
    with db.read_transaction():
        rows = fetch_all(CLIMB_TOPS, {"ids": list(node_ids)})
    above: dict[UUID, set[UUID]] = {}
    for node_id, top_id in rows:
        if top_id in node_ids:
            above.setdefault(node_id, set()).add(top_id)
    # Whatever one lies in is above everything that lies in that one, so the number of those above is the rank.
    return sorted(node_ids, key=lambda node_id: (len(above.get(node_id, ())), node_id))


def _try_restore(actor: Actor, node_id: UUID, on_conflict: OnConflict) -> RestoreOutcome:
    """Restore one of a set: everything is judged before anything is written, so a refusal leaves the others as they are."""
    try:
        return RestoreOutcome(id=node_id, node=_restore(actor, node_id, None, None, on_conflict))
    except NotFound as error:
        way = find_way(node_id, actor)
        if way is None or not access.find_mask(actor, way):
            note_denied_item(error, node_id=node_id)
            return RestoreOutcome(id=node_id, status=error.status, problem=error.as_problem())
        return RestoreOutcome(id=node_id, node=_answer(actor, way, "origin"))
    except BitVaultError as error:
        note_denied_item(error, node_id=node_id)
        return RestoreOutcome(id=node_id, status=error.status, problem=error.as_problem())


def _restore(
    actor: Actor,
    node_id: UUID,
    parent_id: UUID | None,
    name: Name | None,
    on_conflict: OnConflict,
    vault_rules: FileRules | None = None,
) -> RestoredNode:
    entry = Trash.objects.filter(node_id=node_id, purging=False).first()
    origin_ids = entry.list_origins() if entry is not None else []
    if entry is None or not origin_ids:
        raise NotFound
    target_id = parent_id or origin_ids[0]
    ways = find_ways([node_id, entry.root_id, target_id])
    node = ways[node_id].node
    access.require_in_trash(actor, ways.get(entry.root_id), [node_id, *origin_ids], Capability.EDIT)
    parent, restored_to = ways.get(target_id), _NAMED if parent_id else _ORIGINAL
    waits_for_ids: list[UUID] = []
    if parent_id is None and not access.find_mask(actor, parent):
        nearest, waits_for_ids = find_nearest(actor, origin_ids)
        parent, restored_to = nearest or ways[entry.root_id], _NEAREST
    parent = require_folder(access.require(actor, parent, Capability.ADD))
    wanted = name or names.of_stored(node.name)
    if vault_rules is not None and (parent_id is not None or name is not None):
        # Back to where it was, or above, everything comes; elsewhere, or by another name, only what the rules let in.
        lay_in_ids = {node_id, entry.root_id, *origin_ids}
        require_place(actor, vault_rules, node, parent, lay_in_ids=lay_in_ids, name=wanted.text)
    if on_conflict == "replace":
        parent = _make_room(actor, node, parent, wanted)
    row = place(
        parent,
        wanted,
        lambda free: write_restore(node, parent, free),
        autorename=on_conflict == "rename",
        is_folder=node.is_folder,
    )
    publish(
        NodeRestored(
            actor_id=actor.user_id,
            node_id=row.id,
            kind=row.kind_name,
            parent_id=parent.node.id,
            name=row.name,
            revision=row.revision,
            media_type=None if row.is_folder else row.media_type,
        )
    )
    if waits_for_ids:
        _displace(row.id, wanted, origin_ids, waits_for_ids)
    return _answer(actor, Way([row, *parent.rows]), restored_to)


_ORIGINAL: RestoredTo = "origin"
_NEAREST: RestoredTo = "ancestor"
_NAMED: RestoredTo = "named"


def find_nearest(actor: Actor, origin_ids: list[UUID]) -> tuple[Way | None, list[UUID]]:
    """Find the nearest live folder on the way up through folders that may be in the trash or gone, as far as the actor reaches, and what
    lies in the trash on the way there.
    """
    rows = [NodeRow._make(row) for row in fetch_all(CLIMB_ONE, {"origin_ids": origin_ids})]
    trashed = [place for place, row in enumerate(rows) if row.trashed_at is not None]
    live = rows[trashed[-1] + 1 if trashed else 0 :]
    ways = (Way(live[start:]) for start in range(len(live)))
    nearest = next((way for way in ways if access.find_mask(actor, way)), None)
    return nearest, [rows[place].id for place in trashed]


def _make_room(actor: Actor, node: NodeRow, parent: Way, name: Name) -> Way:
    """Put what has the name in a folder into the trash, unless the node does not fit there; returns the way to the folder as it is then."""
    sibling = find_sibling(parent.node.id, name.key)
    if sibling is None:
        return parent
    way = access.require(actor, find_way(sibling[0], actor), Capability.EDIT)
    judge_place(node, parent, name, gains=0)
    cut_off(actor, way, "any")
    return access.require(actor, find_way(parent.node.id, actor), Capability.ADD)


def _answer(actor: Actor, way: Way, restored_to: RestoredTo) -> RestoredNode:
    node = access.describe(actor, way)
    facts = {name: getattr(node, name) for name in node.__dataclass_fields__}
    return RestoredNode(**facts, root_id=way.root.id, path=way.path, restored_to=restored_to)
