"""Into the trash and back: one row of the tree, whatever hangs below it."""

from apps.files import access, locks, retaining
from apps.files.dtos import NodeRef
from apps.files.operations.locking import release
from apps.files.operations.structure import raise_revision_mismatch
from apps.files.rows import NodeRow, Way, fetch_one, find_way, require_revision
from apps.files.sql.nodes import RESTORE, TRASH
from apps.files.tree import (
    Ancestors,
    judge_place,
    rename_type,
    tree_transaction,
)
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeTrashed
from bitvault.kernel import clock, names, policies
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.names import Name
from bitvault.kernel.revisions import ExpectedRevision


def trash(*, actor: Actor, node_id: NodeRef, expected_revision: ExpectedRevision) -> None:
    """Put a node, with all below it, into the trash."""
    with tree_transaction(holds_commits=True):
        way = access.require(actor, find_way(node_id, actor), Capability.EDIT)
        cut_off(actor, access.require_movable(actor, way), expected_revision)


def cut_off(actor: Actor, way: Way, expected_revision: ExpectedRevision) -> None:
    """Put a node, or a whole team folder, into the trash, inside the open transaction of the tree. The actor's locks in it end.

    :raises RevisionMismatch: it has moved on since ``expected_revision``.
    :raises NodeLocked: somebody else has locked it, or a file below it.
    """
    node, now = way.node, clock.now()
    expires_at = now + policies.current().trash_retention
    locked = locks.require_all_unlocked(actor, way)
    read_revision = require_revision(node, expected_revision)
    for row in release(locked, by=actor.user_id, cause="trashed"):
        if row.id == node.id and read_revision is not None:
            read_revision = row.revision
    above = Ancestors()
    if node.parent_id is not None:
        above.lose_child(node.parent_id)
    row = fetch_one(
        TRASH,
        {
            **above.parameters(),
            "id": node.id,
            "now": now,
            "revision": read_revision,
            "root_id": way.root.id,
            "origin_parent_id": node.parent_id,
            "origin_ids": [row.id for row in way.rows[2:]],
            "origin_path": way.path,
            "trashed_by": actor.user_id,
            "expires_at": expires_at,
        },
    )
    if row is None:
        raise_revision_mismatch(node.id)
    trashed = NodeRow._make(row)
    publish(
        NodeTrashed(
            actor_id=actor.user_id,
            node_id=node.id,
            kind=trashed.kind_name,
            old_parent_id=node.parent_id,
            name=trashed.name,
            revision=trashed.revision,
            trashed_at=now,
            expires_at=expires_at,
        )
    )


def write_restore(node: NodeRow, parent: Way, name: Name) -> NodeRow | None:
    """Hang a node of the trash, its top or something below that, into a live folder; ``None`` when the name is taken there."""
    below = judge_place(node, parent, name, gains=1)
    above = Ancestors()
    above.gain_child(parent, name, below)
    if node.parent_id is not None:
        above.lose_child(node.parent_id)
    retaining.carry({node.id: parent.node.id})
    row = fetch_one(
        RESTORE,
        {
            **above.parameters(),
            "id": node.id,
            "parent_id": parent.node.id,
            "name": name.text,
            "name_key": name.key,
            "key_version": names.KEY_VERSION,
            "sort_key": name.sort_key,
            "media_type": rename_type(node, name),
            "levels_below": below.levels,
            "path_bytes_below": below.path_bytes,
        },
    )
    return None if row is None else NodeRow._make(row)
