"""What lies in a folder, page by page, in the order that the reader wants; and where in that order a row is."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.files import access
from apps.files.admitting import find_in_force
from apps.files.dtos import Children, Node, NodeRef, OpenedFolder, OrderName, SortName
from apps.files.models import Node as NodeModel
from apps.files.rows import NodeRow, Way, fetch_page, find_way, read_rows, to_node
from apps.files.sql.pages import child_at, index_of_child, page_of_children
from apps.files.tree import require_folder
from bitvault.kernel import db, file_rules, names, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability, names_of


def list_children(
    actor: Actor, node_id: NodeRef, *, limit: int, cursor: str | None, sort: SortName, order: OrderName
) -> Children:
    """Read a page of what lies in a folder: folders first in both directions, ties decided by id."""
    pages.require_limit(limit)
    with db.read_transaction():
        way = require_folder(access.require(actor, find_way(node_id, actor), Capability.VIEW))
        purpose = _purpose_of(way.node.id, sort, order)
        position = pages.decode_cursor(purpose, cursor) if cursor is not None else None
        rows = _fetch_children(way.node.id, limit=limit + 1, position=position, sort=sort, order=order)
    return _to_children(actor, way, rows, limit=limit, purpose=purpose, is_further=position is not None)


def open_folder(actor: Actor, node_id: NodeRef, *, limit: int, sort: SortName, order: OrderName) -> OpenedFolder:
    """Read the path to a folder and the first page of what lies in it, in one transaction; of a file, the path."""
    pages.require_limit(limit)
    vault_rules = file_rules.current()
    with db.read_transaction():
        way = access.require_known(actor, find_way(node_id, actor))
        is_folder = way.node.is_folder
        if is_folder:
            access.require(actor, way, Capability.VIEW)
        rows = _fetch_children(way.node.id, limit=limit + 1, position=None, sort=sort, order=order) if is_folder else []
    children = _to_children(actor, way, rows, limit=limit, purpose=_purpose_of(way.node.id, sort, order))
    return OpenedFolder(access.to_path(actor, way), children if is_folder else None, find_in_force(vault_rules, way))


def _to_children(
    actor: Actor, way: Way, rows: Sequence[Any], *, limit: int, purpose: str, is_further: bool = False
) -> Children:
    mask = access.find_mask(actor, way)
    items = [to_node(NodeRow._make(row[:-2]), names_of(access.add_own(actor, mask, row[0]))) for row in rows[:limit]]
    next_cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        next_cursor = pages.encode_cursor(purpose, _position_after(last[1], last[-2], last[0]))
    return Children(items, next_cursor, way.node.child_count, rows[0][-1] if rows else None if is_further else 0)


def list_named_children(actor: Actor, node_id: NodeRef, ids: Collection[UUID]) -> list[Node]:
    """Read those of these nodes that lie in a folder."""
    with db.read_transaction():
        way = require_folder(access.require(actor, find_way(node_id, actor), Capability.VIEW))
        rows = read_rows(NodeModel.objects.filter(parent_id=way.node.id, id__in=ids).order_by("id"))
    capabilities = names_of(access.find_mask(actor, way))
    return [to_node(row, capabilities) for row in rows]


def _purpose_of(folder_id: UUID, sort: SortName, order: OrderName) -> str:
    return f"files.children:{folder_id}:{sort}:{order}"


def _position_after(kind: int, key: Any, node_id: UUID) -> list[Any]:
    return [kind, key.isoformat() if isinstance(key, datetime) else key, str(node_id)]


def find_cursor(actor: Actor, node_id: NodeRef, *, at: int, sort: SortName, order: OrderName) -> str | None:
    """Make the cursor of the rows from the one with this index on, counted from 0; ``None`` for the first ones and past the end."""
    with db.read_transaction():
        way = require_folder(access.require(actor, find_way(node_id, actor), Capability.VIEW))
        found = fetch_page(child_at(sort, order), {"folder_id": way.node.id, "at": at})
    if not found:
        return None
    return pages.encode_cursor(_purpose_of(way.node.id, sort, order), _position_after(*found[0]))


def find_index(
    actor: Actor, node_id: NodeRef, *, prefix: str, after: int, sort: SortName, order: OrderName
) -> int | None:
    """Find the next row whose name begins with ``prefix``, as an index from 0: the first one behind ``after``, else the first of all."""
    with db.read_transaction():
        way = require_folder(access.require(actor, find_way(node_id, actor), Capability.VIEW))
        values = {"folder_id": way.node.id, "prefix": names.key_of(prefix), "after": after}
        found = fetch_page(index_of_child(sort, order), values)
    return int(found[0][0]) if found else None


def _fetch_children(
    folder_id: UUID, *, limit: int, position: Sequence[Any] | None, sort: SortName, order: OrderName
) -> list[Any]:
    """Read rows of a folder after a position: two walks along one index, so that folders come first in both directions."""
    parameters: dict[str, Any] = {"folder_id": folder_id, "limit": limit}
    if position is not None:
        parameters.update(kind=position[0], key=position[1], after_id=position[2])
    return fetch_page(page_of_children(sort, order, None if position is None else position[0]), parameters)
