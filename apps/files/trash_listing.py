"""The trash of a root, latest first: page by page, and where in it a row is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.files import access, retaining, teams
from apps.files.dtos import Node, NodeRef, OpenedTrash, TrashedNode
from apps.files.dtos.retention import Kept
from apps.files.models import Trash
from apps.files.rows import NodeRow, Way, fetch_all, fetch_page, find_way, find_ways, to_node
from apps.files.sql.trash import INDEX, PAGE, TRASHED
from bitvault.kernel import db, names, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability, names_of
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import Page


def list_trash(actor: Actor, root: NodeRef, *, limit: int, cursor: str | None) -> Page[TrashedNode]:
    """Read a page of the trash of a root, latest first."""
    pages.require_limit(limit)
    with db.read_transaction():
        return _read_trash(actor, _find_root(actor, root), limit=limit, cursor=cursor)


def open_trash(actor: Actor, root: NodeRef, *, limit: int) -> OpenedTrash:
    """Read the first page of the trash of a root, how much is in it, and which team folders have one for the actor, in one transaction."""
    pages.require_limit(limit)
    with db.read_transaction():
        editable = [folder for folder in teams.read_folders(actor, ended=False) if "edit" in folder.capabilities]
        if root != "root" and root not in {folder.id for folder in editable}:
            raise NotFound
        way = _find_root(actor, root)
        page = _read_trash(actor, way, limit=limit, cursor=None)
        total_count = len(page.items)
        if way is not None and page.next_cursor is not None:
            total_count = _entries_of(way).count()
    return OpenedTrash(page.items, page.next_cursor, editable, total_count)


def _read_trash(actor: Actor, way: Way | None, *, limit: int, cursor: str | None) -> Page[TrashedNode]:
    if way is None:
        if cursor is not None:
            raise pages.BadCursor
        return Page([])
    capabilities = names_of(access.find_mask(actor, way))
    purpose = _purpose_of(way.node.id)
    before, before_id = pages.decode_cursor(purpose, cursor) if cursor is not None else (None, None)
    rows = fetch_page(PAGE, {"root_id": way.node.id, "before": before, "before_id": before_id, "limit": limit + 1})
    keepers = _find_keepers(rows[:limit])
    items = []
    for *values, _, origin_parent_id, origin_path, trashed_by, expires_at in rows[:limit]:
        node = to_node(NodeRow._make(values), capabilities)
        kept = keepers.get(node.id)
        items.append(_to_trashed(node, kept, way.node.id, origin_parent_id, origin_path, trashed_by, expires_at))
    next_cursor = None
    if len(rows) > limit:
        last = NodeRow._make(rows[limit - 1][: len(NodeRow._fields)])
        next_cursor = pages.encode_cursor(purpose, _position_after(last.trashed_at, last.id))
    return Page(items, next_cursor)


def find_trashed(actor: Actor, node_ids: Collection[UUID]) -> dict[UUID, TrashedNode]:
    """Read those of some nodes that were put into a trash which the actor may look into."""
    if not node_ids:
        return {}
    with db.read_transaction():
        rows = fetch_all(TRASHED, {"ids": list(node_ids)})
        roots = find_ways({row[len(NodeRow._fields) + 1] for row in rows}) if rows else {}
        keepers = _find_keepers(rows)
    masks = {root_id: access.find_mask(actor, way) for root_id, way in roots.items() if _may_look(actor, way)}
    found = {}
    for row in rows:
        node, (_, root_id, *facts) = NodeRow._make(row[: len(NodeRow._fields)]), row[len(NodeRow._fields) :]
        if root_id in masks:
            found[node.id] = _to_trashed(to_node(node, names_of(masks[root_id])), keepers.get(node.id), root_id, *facts)
    return found


def _find_keepers(rows: Sequence[Any]) -> Mapping[UUID, retaining.Keeper]:
    """Tell what keeps things that were read; nothing is asked where no hold and no rule is in force."""
    is_any_in_force = bool(rows) and rows[0][len(NodeRow._fields)]
    return retaining.find_trash_keepers([row[0] for row in rows], is_any_in_force=is_any_in_force)


def _may_look(actor: Actor, way: Way) -> bool:
    """Tell whether the actor may look into the trash of a root: everybody into their own, editors into that of a team folder."""
    capability = Capability.VIEW if way.node.owner_user_id == actor.user_id else Capability.EDIT
    return way.node.is_root and bool(access.find_mask(actor, way) & capability)


def find_trash_cursor(actor: Actor, root: NodeRef, *, at: int) -> str | None:
    """Make the cursor of the rows from the one with this index on, counted from 0; ``None`` for the first ones and past the end."""
    with db.read_transaction():
        way = _find_root(actor, root)
        if way is None or at < 1:
            return None
        ordered = _entries_of(way).order_by("-trashed_at", "-node_id")
        found = ordered.values_list("trashed_at", "node_id")[at - 1 : at].first()
    return pages.encode_cursor(_purpose_of(way.node.id), _position_after(*found)) if found else None


def _entries_of(way: Way) -> QuerySet[Trash]:
    return Trash.objects.filter(root_id=way.node.id, purging=False)


def find_trash_index(actor: Actor, root: NodeRef, *, prefix: str, after: int) -> int | None:
    """Find the next row whose name begins with ``prefix``, as an index from 0: the first one behind ``after``, else the first of all."""
    with db.read_transaction():
        way = _find_root(actor, root)
        if way is None:
            return None
        found = fetch_page(INDEX, {"root_id": way.node.id, "prefix": names.key_of(prefix), "after": after})
    return int(found[0][0]) if found else None


def _find_root(actor: Actor, root: NodeRef) -> Way | None:
    """Read the root whose trash is asked for; ``None`` is a personal one that is still to be made. A team folder's is for its editors."""
    way = find_way(root, actor)
    if way is None and root == "root":
        return None
    way = access.require_root(access.require(actor, way, Capability.VIEW))
    return access.require(actor, way, Capability.EDIT) if way.node.owner_user_id != actor.user_id else way


def _purpose_of(root_id: UUID) -> str:
    return f"files.trash:{root_id}"


def _position_after(trashed_at: datetime | None, node_id: UUID) -> list[Any]:
    return [trashed_at.isoformat() if trashed_at else None, str(node_id)]


def _to_trashed(
    node: Node,
    keeper: retaining.Keeper | None,
    root_id: UUID,
    origin_parent_id: UUID,
    origin_path: str,
    trashed_by: UUID,
    expires_at: datetime,
) -> TrashedNode:
    facts = {name: getattr(node, name) for name in Node.__dataclass_fields__}
    return TrashedNode(
        **{**facts, "parent_id": origin_parent_id},
        root_id=root_id,
        origin_path=origin_path,
        trashed_by=trashed_by,
        expires_at=expires_at,
        kept=None if keeper is None else Kept(by=keeper.kind, until=keeper.until),
    )
