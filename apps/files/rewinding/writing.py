"""What one batch of a rewind writes: set-based statements, and an ordinary event for each change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.files import retaining
from apps.files.rewinding import sql
from apps.files.rows import NodeRow, Way, execute, fetch_all
from apps.files.sql.nodes import COUNTED_ALONE
from apps.files.tree import Ancestors, Below, rename_type
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeMoved, NodeRestored, NodeTrashed, VersionCommitted
from bitvault.kernel import ids, names, policies
from bitvault.kernel.names import Name

MADE_ON = "rewind"
"""Where the versions were made that a rewind brings back (``made_on``)."""


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
        execute(sql.FORGET_DISPLACED, [changed])
        execute(COUNTED_ALONE, above.parameters())
    return _write_contents(contents, {back.node.id: back for back in placed}, user_id, now) if contents else 0


def _write_trash(trashed: Sequence[Trashed], user_id: UUID, now: datetime) -> None:
    ways, expires_at = [one.way for one in trashed], now + policies.current().trash_retention
    execute(
        sql.TRASH,
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
        execute(sql.PARK, [swapping])
    retaining.carry({one.node.id: one.target.node.id for one in placed if one.target.node.id != one.node.parent_id})
    media_types = {one.node.id: rename_type(one.node, one.name) for one in placed}
    execute(
        sql.PLACE,
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
    execute(sql.OUT_OF_TRASH, [[one.node.id for one in placed if one.node.trashed_at is not None]])
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
        sql.VERSIONS,
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
    execute(sql.CONTENT, [[row[0] for row in rows]])
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
