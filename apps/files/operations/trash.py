"""Into the trash and back: one row of the tree, whatever hangs below it."""

from apps.files import access, locks, retaining
from apps.files.dtos import NodeRef
from apps.files.operations.locking import release
from apps.files.operations.structure import raise_revision_mismatch
from apps.files.rows import COLUMNS, NodeRow, Way, fetch_one, find_way, require_revision
from apps.files.tree import (
    COUNTED,
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

_TRASH = f"""
WITH trashed AS (
    UPDATE files_node SET parent_id = NULL, trashed_at = %(now)s, revision = revision + 1
    WHERE id = %(id)s AND (%(revision)s::bigint IS NULL OR revision = %(revision)s)
    RETURNING {COLUMNS}
),
kept AS (
    INSERT INTO files_trash (
        node_id, root_id, origin_parent_id, origin_ids, origin_path, trashed_by, trashed_at, expires_at, purging, purged_bytes
    )
    SELECT id, %(root_id)s, %(origin_parent_id)s, %(origin_ids)s, %(origin_path)s, %(trashed_by)s, %(now)s, %(expires_at)s, false, 0
    FROM trashed
),
stays AS (DELETE FROM files_displaced WHERE node_id IN (SELECT id FROM trashed)),
counted AS ({COUNTED} AND EXISTS (SELECT FROM trashed))
SELECT {COLUMNS} FROM trashed
"""

_RESTORE = f"""
WITH restored AS (
    UPDATE files_node SET
        parent_id = %(parent_id)s, trashed_at = NULL, name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s,
        sort_key = %(sort_key)s, media_type = %(media_type)s,
        levels_below_bound = %(levels_below)s, path_bytes_below_bound = %(path_bytes_below)s,
        revision = revision + 1
    WHERE id = %(id)s
        AND NOT EXISTS (SELECT FROM files_node sibling WHERE sibling.parent_id = %(parent_id)s AND sibling.name_key = %(name_key)s)
    RETURNING {COLUMNS}
),
dropped AS (DELETE FROM files_trash WHERE node_id IN (SELECT id FROM restored)),
counted AS ({COUNTED} AND EXISTS (SELECT FROM restored))
SELECT {COLUMNS} FROM restored
"""


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
        _TRASH,
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
        _RESTORE,
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
