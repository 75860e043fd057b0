"""What one batch of a rewind writes: set-based statements, and an ordinary event for each change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.files import retaining
from apps.files.rows import NodeRow, Way, execute, fetch_all
from apps.files.tree import COUNTED_ALONE, VERSION_COLUMNS, Ancestors, Below, rename_type
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeMoved, NodeRestored, NodeTrashed, VersionCommitted
from bitvault.kernel import ids, names, policies
from bitvault.kernel.names import Name

MADE_ON = "rewind"
"""Where the versions were made that a rewind brings back (``made_on``)."""

_TRASH = """
WITH cut AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(root_ids)s::uuid[], %(parent_ids)s::uuid[], %(origin_ids)s::text[], %(paths)s::text[])
        AS cut(id, root_id, parent_id, origin_ids, path)
),
trashed AS (
    UPDATE files_node SET parent_id = NULL, trashed_at = %(now)s, revision = revision + 1 FROM cut WHERE files_node.id = cut.id
)
INSERT INTO files_trash (
    node_id, root_id, origin_parent_id, origin_ids, origin_path, trashed_by, trashed_at, expires_at, purging, purged_bytes
)
SELECT id, root_id, parent_id, origin_ids::uuid[], path, %(user_id)s, %(now)s, %(expires_at)s, false, 0 FROM cut
"""

# Names of nodes that change places: none may stand twice in a folder, not for a moment.
_PARK = "UPDATE files_node SET name_key = 'rewind ' || id::text WHERE id = ANY(%s::uuid[])"

_PLACE = """
UPDATE files_node SET parent_id = told.parent_id, trashed_at = NULL, name = told.name, name_key = told.name_key,
    key_version = %(key_version)s, sort_key = told.sort_key, media_type = told.media_type,
    levels_below_bound = told.levels, path_bytes_below_bound = told.path_bytes, revision = revision + 1
FROM unnest(%(ids)s::uuid[], %(parent_ids)s::uuid[], %(names)s::text[], %(name_keys)s::text[], %(sort_keys)s::text[],
    %(media_types)s::text[], %(levels)s::int[], %(path_bytes)s::int[])
    AS told(id, parent_id, name, name_key, sort_key, media_type, levels, path_bytes)
WHERE files_node.id = told.id
"""

_OUT_OF_TRASH = "DELETE FROM files_trash WHERE node_id = ANY(%s::uuid[])"
_SETTLED = "DELETE FROM files_displaced WHERE node_id = ANY(%s::uuid[])"

_VERSIONS = f"""
WITH told AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(upload_ids)s::uuid[], %(from_ids)s::uuid[], %(base_ids)s::uuid[])
        AS told(id, upload_id, from_id, base_id)
)
INSERT INTO files_version ({VERSION_COLUMNS})
SELECT told.id, past.node_id, past.blob_id, told.upload_id, past.size_bytes, past.content_hash, past.media_type, %(now)s, %(user_id)s,
    past.client_modified_at, told.base_id, %(made_on)s, past.id
FROM told JOIN files_version past ON past.id = told.from_id
RETURNING {VERSION_COLUMNS}
"""

_CONTENT = """
UPDATE files_node SET version_id = version.id, size_bytes = version.size_bytes, content_hash = version.content_hash,
    media_type = version.media_type, modified_at = version.created_at, client_modified_at = version.client_modified_at,
    revision = revision + 1
FROM files_version version WHERE version.id = ANY(%s::uuid[]) AND files_node.id = version.node_id
"""


@dataclass(frozen=True, slots=True)
class Trashed:
    """A node that goes into the trash, with the way that it has."""

    way: Way


@dataclass(slots=True)
class Placed:
    """A node that gets another place or name, from wherever it lies."""

    item: Any
    way: Way
    target: Way
    name: Name
    below: Below
    swaps_with: UUID | None = None
    """What has the name now, and leaves it in the same transaction."""

    @property
    def node(self) -> NodeRow:
        """The node as it is now."""
        return self.way.node

    @property
    def place(self) -> tuple[UUID, str]:
        """The folder, and the key of the name."""
        return self.target.node.id, self.name.key


@dataclass(frozen=True, slots=True)
class Content:
    """A file that gets a version back."""

    node_id: UUID
    node: NodeRow
    version_id: UUID


def write(
    *,
    trashed: Sequence[Trashed],
    placed: Sequence[Placed],
    contents: Sequence[Content],
    user_id: UUID,
    now: datetime,
) -> int:
    """Write a batch and tell of it, inside the open transaction of the tree; returns the bytes of the new versions."""
    above = Ancestors()
    for one in trashed:
        if one.way.node.parent_id is not None:
            above.lose_child(one.way.node.parent_id)
    for back in placed:
        above.gain_child(back.target, back.name, back.below)
        if back.node.parent_id is not None:
            above.lose_child(back.node.parent_id)
    if trashed:
        _write_trash(trashed, user_id, now)
    if placed:
        _write_places(placed, user_id)
    changed = [one.way.node.id for one in trashed] + [back.node.id for back in placed]
    if changed:
        execute(_SETTLED, [changed])
        execute(COUNTED_ALONE, above.parameters())
    return _write_contents(contents, {back.node.id: back for back in placed}, user_id, now) if contents else 0


def _write_trash(trashed: Sequence[Trashed], user_id: UUID, now: datetime) -> None:
    ways, expires_at = [one.way for one in trashed], now + policies.current().trash_retention
    execute(
        _TRASH,
        {
            "ids": [way.node.id for way in ways],
            "root_ids": [way.root.id for way in ways],
            "parent_ids": [way.node.parent_id for way in ways],
            "origin_ids": ["{" + ",".join(str(row.id) for row in way.rows[2:]) + "}" for way in ways],
            "paths": [way.path for way in ways],
            "user_id": user_id,
            "now": now,
            "expires_at": expires_at,
        },
    )
    for way in ways:
        publish(
            NodeTrashed(
                actor_id=user_id,
                node_id=way.node.id,
                kind=way.node.kind_name,
                old_parent_id=way.node.parent_id,
                name=way.node.name,
                revision=way.node.revision + 1,
                trashed_at=now,
                expires_at=expires_at,
            )
        )


def _write_places(placed: Sequence[Placed], user_id: UUID) -> None:
    swapping = [one.swaps_with for one in placed if one.swaps_with is not None]
    if swapping:
        execute(_PARK, [swapping])
    retaining.carry({one.node.id: one.target.node.id for one in placed if one.target.node.id != one.node.parent_id})
    media_types = {one.node.id: rename_type(one.node, one.name) for one in placed}
    execute(
        _PLACE,
        {
            "ids": [one.node.id for one in placed],
            "parent_ids": [one.target.node.id for one in placed],
            "names": [one.name.text for one in placed],
            "name_keys": [one.name.key for one in placed],
            "sort_keys": [one.name.sort_key for one in placed],
            "media_types": [media_types[one.node.id] for one in placed],
            "levels": [one.below.levels for one in placed],
            "path_bytes": [one.below.path_bytes for one in placed],
            "key_version": names.KEY_VERSION,
        },
    )
    execute(_OUT_OF_TRASH, [[one.node.id for one in placed if one.node.trashed_at is not None]])
    for one in placed:
        _tell_place(one, media_types[one.node.id], user_id)


def _tell_place(one: Placed, media_type: str, user_id: UUID) -> None:
    told: dict[str, Any] = {
        "actor_id": user_id,
        "node_id": one.node.id,
        "kind": one.node.kind_name,
        "parent_id": one.target.node.id,
        "name": one.name.text,
        "revision": one.node.revision + 1,
        "media_type": None if one.node.is_folder else media_type,
    }
    if one.way.is_live:
        publish(NodeMoved(**told, old_parent_id=one.node.parent_id, old_name=one.node.name))
    else:
        publish(NodeRestored(**told))


def _write_contents(contents: Sequence[Content], placed: dict[UUID, Placed], user_id: UUID, now: datetime) -> int:
    made_ids = {one.node_id: ids.new_id() for one in contents}
    rows = fetch_all(
        _VERSIONS,
        {
            "ids": [made_ids[one.node_id] for one in contents],
            "upload_ids": [ids.new_id() for _ in contents],
            "from_ids": [one.version_id for one in contents],
            "base_ids": [one.node.version_id for one in contents],
            "now": now,
            "user_id": user_id,
            "made_on": MADE_ON,
        },
    )
    execute(_CONTENT, [[row[0] for row in rows]])
    nodes = {one.node_id: one.node for one in contents}
    total = 0
    for version_id, node_id, blob_id, upload_id, size_bytes, content_hash, media_type, _, _, told_at, *more in rows:
        node, back = nodes[node_id], placed.get(node_id)
        total += size_bytes
        publish(
            VersionCommitted(
                actor_id=user_id,
                node_id=node_id,
                parent_id=node.parent_id if back is None else back.target.node.id,  # type: ignore[arg-type] # a file has a parent
                name=node.name if back is None else back.name.text,
                revision=node.revision + (1 if back is None else 2),
                node_created=False,
                version_id=version_id,
                previous_version_id=node.version_id,
                conflict_with_id=None,
                upload_id=upload_id,
                blob_id=blob_id,
                size_bytes=size_bytes,
                content_hash=content_hash,
                media_type=media_type,
                modified_at=now,
                client_modified_at=told_at,
                made_on=MADE_ON,
                restored_from_id=more[-1],
            )
        )
    return total
