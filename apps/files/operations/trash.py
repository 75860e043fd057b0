"""Into the trash and back: one row of the tree, whatever hangs below it."""

from uuid import UUID

from apps.files import access, errors, limits
from apps.files.access import Right
from apps.files.dtos import ExpectedRevision, Node, NodeRef, OnConflict
from apps.files.operations.structure import raise_revision_mismatch
from apps.files.rows import COLUMNS, NodeRow, Way, fetch_one, find_way, find_ways, require_row, to_node
from apps.files.tree import (
    COUNTED,
    Ancestors,
    judge_place,
    place,
    require_folder,
    tree_transaction,
)
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeRestored, NodeTrashed
from bitvault.kernel import clock, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.names import Name

_TRASH = f"""
WITH trashed AS (
    UPDATE files_node SET parent_id = NULL, trashed_at = %(now)s, revision = revision + 1
    WHERE id = %(id)s AND (%(revision)s::bigint IS NULL OR revision = %(revision)s)
    RETURNING {COLUMNS}
),
kept AS (
    INSERT INTO files_trash (
        node_id, root_id, origin_parent_id, origin_path, trashed_by, trashed_at, expires_at, purging, purged_bytes
    )
    SELECT id, %(root_id)s, %(origin_parent_id)s, %(origin_path)s, %(trashed_by)s, %(now)s, %(expires_at)s, false, 0 FROM trashed
),
counted AS ({COUNTED} AND EXISTS (SELECT FROM trashed))
SELECT {COLUMNS} FROM trashed
"""

# The root and the old parent are read with the entry: their ways are needed only if they still lead to a root.
_ENTRY = f"""
SELECT entry.root_id, entry.origin_parent_id, entry.origin_path, {", ".join("node." + column for column in COLUMNS.split(", "))}
FROM files_trash entry JOIN files_node node ON node.id = entry.node_id
WHERE entry.node_id = %s AND NOT entry.purging
"""

_RESTORE = f"""
WITH restored AS (
    UPDATE files_node SET
        parent_id = %(parent_id)s, trashed_at = NULL, name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s,
        sort_key = %(sort_key)s, levels_below_bound = %(levels_below)s, path_bytes_below_bound = %(path_bytes_below)s,
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
        way = access.require_right(actor, find_way(node_id, user_id=actor.user_id), Right.EDIT)
        if way.node.is_root:
            raise errors.RootFixed
        cut_off(actor, way, expected_revision)


def cut_off(actor: Actor, way: Way, expected_revision: ExpectedRevision) -> None:
    """Put a node, or a whole team folder, into the trash, inside the open transaction of the tree.

    :raises RevisionMismatch: it has moved on since ``expected_revision``.
    """
    node, now = way.node, clock.now()
    if expected_revision not in ("any", node.revision):
        raise errors.RevisionMismatch(revision=node.revision)
    above = Ancestors()
    if node.parent_id is not None:
        above.lose_child(node.parent_id)
    row = fetch_one(
        _TRASH,
        {
            **above.parameters(),
            "id": node.id,
            "now": now,
            "revision": expected_revision if isinstance(expected_revision, int) else None,
            "root_id": way.root.id,
            "origin_parent_id": node.parent_id,
            "origin_path": way.path,
            "trashed_by": actor.user_id,
            "expires_at": now + limits.TRASH_RETENTION,
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
            expires_at=now + limits.TRASH_RETENTION,
        )
    )


def restore(*, actor: Actor, node_id: UUID, parent_id: UUID | None, name: Name | None, on_conflict: OnConflict) -> Node:
    """Take a node, with all that went with it, out of the trash. A team folder that has ended comes back otherwise (``teams``)."""
    with tree_transaction() as tx:
        root_id, origin_parent_id, origin_path, *values = require_row(fetch_one(_ENTRY, [node_id]))
        node = NodeRow._make(values)
        ways = find_ways([root_id, origin_parent_id, parent_id], user_id=actor.user_id)
        access.require_right(actor, ways.get(root_id), Right.EDIT)
        if parent_id is not None:
            parent = access.require_right(actor, ways.get(parent_id), Right.UPLOAD)
        else:
            origin = _find_origin(actor, ways, root_id, origin_parent_id, origin_path, on_conflict)
            parent = access.require_right(actor, origin, Right.UPLOAD)
        require_folder(parent)
        row = place(
            parent,
            name or names.parse(node.name),
            lambda free: write_restore(node, parent, free),
            autorename=on_conflict == "rename",
        )
        publish(
            NodeRestored(
                actor_id=actor.user_id,
                node_id=row.id,
                kind=row.kind_name,
                parent_id=parent.node.id,
                name=row.name,
                revision=row.revision,
            )
        )
        right = access.find_right(actor, Way([row, *parent.rows]))
        return tx.answer(to_node(row, access.names_up_to(right) if right else ()))


def _find_origin(
    actor: Actor,
    ways: dict[UUID, Way],
    root_id: UUID,
    origin_parent_id: UUID,
    origin_path: str,
    on_conflict: OnConflict,
) -> Way | None:
    """Find where the node was; the root instead, when that is gone (for the actor, at least) and ``rename`` allows it."""
    origin = ways.get(origin_parent_id)
    if access.find_right(actor, origin) is not None:
        return origin
    if on_conflict == "fail":
        raise errors.ParentGone(
            "The folder that this was in is not there any more; name another one.",
            parent_id=origin_parent_id,
            origin_path=origin_path,
        )
    return ways.get(root_id)


def write_restore(node: NodeRow, parent: Way, name: Name) -> NodeRow | None:
    """Hang a node of the trash, its top or something below that, into a live folder; ``None`` when the name is taken there."""
    below = judge_place(node, parent, name, gains=1)
    above = Ancestors()
    above.gain_child(parent, name, below)
    if node.parent_id is not None:
        above.lose_child(node.parent_id)
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
            "levels_below": below.levels,
            "path_bytes_below": below.path_bytes,
        },
    )
    return None if row is None else NodeRow._make(row)
