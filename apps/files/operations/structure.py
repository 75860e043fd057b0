"""Changes of the tree: roots, folders, names and places."""

from datetime import datetime
from uuid import UUID

from apps.files import access, errors, locks, retaining
from apps.files.admitting import require_place
from apps.files.dtos import Node, NodeRef
from apps.files.models import Kind
from apps.files.models import Node as NodeModel
from apps.files.rows import NodeRow, Way, fetch_one, find_way, find_ways, require_revision
from apps.files.sql.nodes import INSERT_ROOT, MOVE, SET_TIME
from apps.files.tree import (
    Ancestors,
    find_sibling,
    insert_folder,
    judge_place,
    node_parameters,
    place,
    rename_type,
    require_folder,
    tree_transaction,
)
from bitvault.events.api import publish
from bitvault.events.catalog.files import FolderCreated, NodeChanged, NodeMoved
from bitvault.kernel import clock, db, file_rules, ids, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import NotFound, PreconditionRequired
from bitvault.kernel.names import Name
from bitvault.kernel.revisions import ExpectedRevision

ROOT_NAME = "My files"
"""What a personal root is called. It is no part of any path."""


def ensure_personal_root(actor: Actor) -> NodeRow:
    """Find the actor's personal root; make it when it is not there yet.

    :raises NotFound: the actor is a guest, who has none.
    """
    with db.read_transaction():
        way = find_way("root", actor)
    if way is not None:
        return way.node
    if actor.is_guest:
        raise NotFound
    now = clock.now()
    values = node_parameters(
        node_id=ids.new_id(), kind=Kind.FOLDER, name=names.parse(ROOT_NAME), created_by=actor.user_id, now=now
    )
    with tree_transaction():
        row = fetch_one(INSERT_ROOT, {**values, "owner_user_id": actor.user_id})
        if row is not None:
            made = NodeRow._make(row)
            publish(
                FolderCreated(
                    actor_id=actor.user_id,
                    node_id=made.id,
                    parent_id=None,
                    name=made.name,
                    revision=made.revision,
                    created_at=made.created_at,
                )
            )
            return made
        # Another request of the same person was quicker.
        present = find_way("root", actor)
        if present is None:
            raise NotFound
        return present.node


def create_folder(*, actor: Actor, parent_id: NodeRef, name: Name, autorename: bool) -> Node:
    """Make a folder in a folder."""
    with tree_transaction() as tx:
        parent = require_folder(access.require(actor, find_way(parent_id, actor), Capability.ADD))
        autorename = autorename or not access.find_mask(actor, parent) & Capability.VIEW
        row = _put_folder(actor, parent, ids.new_id(), name, autorename=autorename)
        return tx.answer(_answer(actor, row, parent))


def ensure_folder(*, actor: Actor, node_id: UUID, parent_id: UUID, name: Name) -> bool:
    """Make a folder under an id that the caller has chosen, if it is not there; ``False`` when it was there and lies in the trash."""
    with db.read_transaction():
        way = find_way(node_id, actor)
    if way is None:
        with tree_transaction():
            parent = require_folder(access.require(actor, find_way(parent_id, actor), Capability.ADD))
            way = find_way(node_id, actor)
            if way is None:
                _put_folder(actor, parent, node_id, name, autorename=True)
                return True
    if not way.is_live:
        return False
    require_folder(access.require(actor, way, Capability.ADD))
    return True


def _put_folder(actor: Actor, parent: Way, node_id: UUID, name: Name, *, autorename: bool) -> NodeRow:
    """Write a new folder, under the tree lock, and tell of it."""
    now = clock.now()
    row = place(
        parent,
        name,
        lambda free: insert_folder(node_id=node_id, parent=parent, name=free, created_by=actor.user_id, now=now),
        autorename=autorename,
        is_folder=True,
    )
    publish(
        FolderCreated(
            actor_kind=actor.kind.value,
            actor_id=actor.user_id,
            node_id=row.id,
            parent_id=parent.node.id,
            name=row.name,
            revision=row.revision,
            created_at=row.created_at,
        )
    )
    return row


def move(
    *,
    actor: Actor,
    node_id: NodeRef,
    name: Name | None,
    parent_id: UUID | None,
    autorename: bool,
    client_modified_at: datetime | None,
    expected_revision: ExpectedRevision,
) -> Node:
    """Give a node another name, another folder, another time of change. One row of the tree changes, whatever lies below."""
    vault_rules = file_rules.current()
    with tree_transaction() as tx:
        way, target = _find_way_and_target(actor, node_id, parent_id)
        node = access.require_movable(actor, way).node
        if expected_revision is None:
            raise PreconditionRequired
        parent = Way(way.rows[1:]) if target is None else target
        access.require_leave(actor, way, parent)
        to_name = name or names.of_stored(node.name)
        stays = parent.node.id == node.parent_id and to_name.text == node.name
        if stays and client_modified_at in (None, node.client_modified_at):
            # What was asked for holds already: by this very request, when its answer was lost (RFC 9110 §13.1.1).
            return tx.answer(_answer(actor, node, parent))
        lay_in_ids = {row.id for row in way.rows}
        require_place(actor, vault_rules, node, parent, lay_in_ids=lay_in_ids, name=to_name.text)
        locks.require_all_unlocked(actor, way)
        read_revision = require_revision(node, expected_revision)
        if stays and client_modified_at is not None:
            return tx.answer(_answer(actor, _set_time(actor, node, parent, client_modified_at, read_revision), parent))
        if parent.passes(node.id):
            raise errors.MoveCycle
        row = place(
            parent,
            to_name,
            lambda free: write_move(node, parent, free, client_modified_at, read_revision),
            autorename=autorename,
            is_folder=node.is_folder,
        )
        publish(tell_move(actor, way, row, parent, client_modified_at))
        return tx.answer(_answer(actor, row, parent))


def tell_move(
    actor: Actor, way: Way, row: NodeRow, parent: Way, client_modified_at: datetime | None = None
) -> NodeMoved:
    """Say that the node at the lower end of ``way`` has another name or place: ``row`` in ``parent``."""
    return NodeMoved(
        actor_id=actor.user_id,
        node_id=row.id,
        kind=row.kind_name,
        parent_id=parent.node.id,
        old_parent_id=way.node.parent_id,
        name=row.name,
        old_name=way.node.name,
        revision=row.revision,
        media_type=None if row.is_folder else row.media_type,
        client_modified_at=client_modified_at,
        actor_kind=actor.kind.value,
    )


def _set_time(
    actor: Actor, node: NodeRow, parent: Way, client_modified_at: datetime, read_revision: int | None
) -> NodeRow:
    """Write when a device says that a node changed, and nothing else."""
    values = {
        "id": node.id,
        "client_modified_at": client_modified_at,
        "revision": read_revision,
    }
    row = fetch_one(SET_TIME, values)
    if row is None:
        raise_revision_mismatch(node.id)
    changed = NodeRow._make(row)
    publish(
        NodeChanged(
            actor_id=actor.user_id,
            node_id=node.id,
            kind=changed.kind_name,
            parent_id=parent.node.id,
            revision=changed.revision,
            client_modified_at=client_modified_at,
        )
    )
    return changed


def _find_way_and_target(actor: Actor, node_id: NodeRef, parent_id: UUID | None) -> tuple[Way, Way | None]:
    """Read both ways in one query and judge the rights on them."""
    if node_id == "root":
        return access.require(actor, find_way(node_id, actor), Capability.EDIT), None
    ways = find_ways([node_id, parent_id])
    way = access.require(actor, ways.get(node_id), Capability.EDIT)
    if parent_id is None:
        return way, None
    return way, require_folder(access.require(actor, ways.get(parent_id), Capability.ADD))


def require_target(actor: Actor, parent_id: UUID) -> None:
    """Refuse a folder that the actor may not move anything into.

    :raises NotFound, Forbidden, NotAFolder: as a move into it does.
    """
    with db.read_transaction():
        require_folder(access.require(actor, find_way(parent_id, actor), Capability.ADD))


def write_move(
    node: NodeRow, parent: Way, name: Name, client_modified_at: datetime | None, read_revision: int | None
) -> NodeRow | None:
    """Write another name or place; ``None`` when the name is taken there. Whoever calls has asked ``locks``."""
    stays = parent.node.id == node.parent_id
    below = judge_place(node, parent, name, gains=0 if stays else 1)
    above = Ancestors()
    above.gain_child(parent, name, below)
    if node.parent_id is not None:
        above.lose_child(node.parent_id)
    if not stays:
        retaining.carry({node.id: parent.node.id})
    row = fetch_one(
        MOVE,
        {
            **above.parameters(),
            "id": node.id,
            "parent_id": parent.node.id,
            "name": name.text,
            "name_key": name.key,
            "key_version": names.KEY_VERSION,
            "sort_key": name.sort_key,
            "old_media_type": node.media_type,
            "media_type": rename_type(node, name),
            "client_modified_at": client_modified_at,
            "levels_below": below.levels,
            "path_bytes_below": below.path_bytes,
            "revision": read_revision,
        },
    )
    if row is None:
        sibling = find_sibling(parent.node.id, name.key)
        if sibling is not None and sibling[0] != node.id:
            return None
        raise_revision_mismatch(node.id)
    return NodeRow._make(row)


def raise_revision_mismatch(node_id: UUID) -> None:
    """Tell which revision the node has now.

    :raises RevisionMismatch: always.
    """
    raise errors.RevisionMismatch(revision=NodeModel.objects.values_list("revision", flat=True).get(id=node_id))


def _answer(actor: Actor, row: NodeRow, parent: Way) -> Node:
    return access.describe(actor, Way([row, *parent.rows]))
