"""Reads."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import QuerySet, Sum

from apps.files import access, errors, limits
from apps.files.dtos import (
    Content,
    FoundNode,
    Lock,
    Node,
    NodeRef,
    Path,
    PathStep,
    ReachableRoot,
    StoredBytes,
    TreeRow,
    TreeRows,
    VersionRow,
    VersionRows,
)
from apps.files.models import Node as NodeModel
from apps.files.models import Refund, Trash, Version
from apps.files.rows import (
    NodeRow,
    Way,
    fetch_all,
    fetch_page,
    find_way,
    find_ways,
    kind_name,
    require_row,
)
from apps.files.sql.pages import FIRST_ID, ROOTS, TREE_ROWS
from apps.files.sql.uploads import HOLDERS, HOLDERS_OF_MANY
from apps.files.sql.walks import BY_PATH, CONTENT
from bitvault.events.api import get_head
from bitvault.kernel import db, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import NotFound
from bitvault.kernel.permissions import Permission

# --- single nodes ----------------------------------------------------------------------------------------------------------


def get_node(actor: Actor, node_id: NodeRef) -> Node:
    """Read one live node."""
    with db.read_transaction():
        way = access.require_known(actor, find_way(node_id, actor))
    return access.describe(actor, way)


def find_root_id(node_id: UUID) -> UUID | None:
    """Find where the tree begins that a node lies in."""
    with db.read_transaction():
        way = find_ways([node_id]).get(node_id)
    return None if way is None else way.root.id


def find_personal_roots(user_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Find the roots of people, by their ids."""
    with db.read_transaction():
        rows = NodeModel.objects.filter(owner_user_id__in=user_ids, parent__isnull=True)
        return {owner_id: root_id for owner_id, root_id in rows.values_list("owner_user_id", "id") if owner_id}


def find_team_folders(node_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of these nodes are live team folders."""
    with db.read_transaction():
        rows = NodeModel.objects.filter(id__in=node_ids, is_team_folder=True, trashed_at__isnull=True)
        return set(rows.values_list("id", flat=True))


def list_nodes(actor: Actor, node_ids: Collection[UUID]) -> list[Node]:
    """Read those of some nodes that are live and that the actor may know of, in one query."""
    if not node_ids:
        return []
    with db.read_transaction():
        ways = find_ways(node_ids)
    return [
        access.describe(actor, way) for way in ways.values() if access.knows(actor, way, access.find_mask(actor, way))
    ]


def find_visible(actor: Actor, node_ids: Collection[UUID], *, roots: bool) -> dict[UUID, FoundNode]:
    """Read those of some nodes that are live and that the actor may know of, personal roots if ``roots``."""
    with db.read_transaction():
        ways = find_ways(node_ids)
    found = {}
    for node_id, way in ways.items():
        if way.node.is_root and not way.node.is_team_folder and not roots:
            continue
        if access.knows(actor, way, access.find_mask(actor, way)):
            above = access.list_visible(actor, way)[:-1]
            steps = [PathStep(row.id, row.name, row.owner_user_id == actor.user_id) for row, _ in above]
            is_own_root = way.node.is_root and way.node.owner_user_id == actor.user_id
            found[node_id] = FoundNode(access.describe(actor, way), steps, is_own_root)
    return found


def list_ancestries(node_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Read the ids from some nodes up to where their trees begin, the nodes first."""
    if not node_ids:
        return {}
    with db.read_transaction():
        ways = find_ways(node_ids)
    return {node_id: [row.id for row in way.rows] for node_id, way in ways.items()}


def list_path(actor: Actor, node_id: NodeRef) -> Path:
    """Read the nodes from the topmost one that the actor sees down to one."""
    with db.read_transaction():
        way = access.require_known(actor, find_way(node_id, actor))
    return access.to_path(actor, way)


def find_by_path(actor: Actor, path: str, root: NodeRef) -> Node:
    """Read the node at a path under a root, or under any folder. Case and spelling need not be exact: names in a folder differ by key."""
    keys = _parse_path(path)
    parameters = {
        "owner_id": actor.user_id if root == "root" else None,
        "root_id": None if root == "root" else root,
        "keys": keys,
    }
    with db.read_transaction():
        rows = [NodeRow._make(row) for row in fetch_all(BY_PATH, parameters)]
        if len(rows) != len(keys) + 1:
            raise NotFound
        if rows[-1].parent_id is not None:  # the walk began in a folder, and what is above it decides too
            rows += find_ways([rows[-1].parent_id])[rows[-1].parent_id].rows
    return access.describe(actor, access.require(actor, Way(rows), Capability.VIEW))


def _parse_path(path: str) -> list[str]:
    if not path.startswith("/"):
        raise errors.InvalidPath
    size_bytes = len(path.encode(errors="surrogatepass"))
    if size_bytes > limits.PATH_LIMIT_BYTES:
        raise errors.PathTooLong(limit_bytes=limits.PATH_LIMIT_BYTES, size_bytes=size_bytes)
    parts = path[1:].split("/") if path != "/" else []
    if len(parts) > limits.DEPTH_LIMIT:
        raise errors.TooDeep(limit=limits.DEPTH_LIMIT, depth=len(parts))
    return [names.parse(part).key for part in parts]


# --- for derivations -------------------------------------------------------------------------------------------------------


def count_stored_bytes() -> StoredBytes:
    """Add up all versions of the entered tenant, and what waits to be given back to its quota: a walk through both tables."""
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        size_bytes = _sum(Version.objects.all(), "size_bytes")
        unrefunded_bytes = _sum(Refund.objects.all(), "size_bytes") + _sum(Trash.objects.all(), "purged_bytes")
    return StoredBytes(size_bytes=size_bytes, unrefunded_bytes=unrefunded_bytes, as_of_seq=as_of_seq)


def _sum(rows: QuerySet[Any], field: str) -> int:
    return int(rows.aggregate(sum=Sum(field, default=0))["sum"])


def list_reachable_roots(actor: Actor) -> list[ReachableRoot]:
    """List the roots whose trees the actor may see: the personal one, once there is one, and team folders."""
    parameters = {
        "user_id": actor.user_id,
        "administers": actor.may(Permission.MANAGE_TEAM_FOLDERS),
        "ids": [] if actor.may(Permission.MANAGE_TEAM_FOLDERS) else actor.reach.list_node_ids(),
    }
    ways = [Way([NodeRow._make(row)]) for row in db.read_alone(ROOTS, parameters)]
    found = [(way.node.id, access.find_mask(actor, way)) for way in ways]
    return [ReachableRoot(id=root_id, mask=mask) for root_id, mask in found if mask & Capability.VIEW]


def list_tree_rows(*, after: UUID | None, limit: int) -> TreeRows:
    """Read nodes in the order of their ids, those in the trash too."""
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        rows = fetch_all(TREE_ROWS, {"after": after or FIRST_ID, "limit": limit})
    return TreeRows(items=[_to_tree_row(row) for row in rows], as_of_seq=as_of_seq)


def list_version_rows(*, after: UUID | None, limit: int) -> VersionRows:
    """Read versions in the order of their ids, those of files in the trash too."""
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        page = Version.objects.filter(id__gt=after or FIRST_ID).order_by("id")[:limit]
        rows = page.values_list("id", "node_id", "blob_id")
        items = [VersionRow(id=key, node_id=node_id, blob_id=blob_id) for key, node_id, blob_id in rows]
    return VersionRows(items=items, as_of_seq=as_of_seq)


def _to_tree_row(row: Sequence[Any]) -> TreeRow:
    node_id, kind, parent_id, is_trashed, name, revision, size_bytes, media_type, content_hash, *others = row
    (
        version_id,
        blob_id,
        created_at,
        modified_at,
        client_modified_at,
        created_by,
        lock,
        version_count,
        versions_bytes,
    ) = others
    is_file = version_id is not None
    return TreeRow(
        id=node_id,
        kind=kind_name(kind),
        parent_id=parent_id,
        is_trashed=is_trashed,
        name=name,
        revision=revision,
        size_bytes=size_bytes if is_file else None,
        media_type=media_type if is_file else None,
        content_hash=content_hash if is_file else None,
        version_id=version_id,
        blob_id=blob_id,
        created_at=created_at,
        modified_at=modified_at,
        client_modified_at=client_modified_at,
        created_by=created_by,
        lock=None if lock is None else msgspec.json.decode(lock, type=Lock),
        version_count=version_count,
        versions_bytes=versions_bytes,
    )


# --- content ---------------------------------------------------------------------------------------------------------------


def get_content(
    actor: Actor, node_id: UUID, version_id: UUID | None, *, capability: Capability = Capability.DOWNLOAD
) -> Content:
    """Find the bytes of a file, or of one of its versions."""
    rows = db.read_alone(CONTENT, {"node_id": node_id, "version_id": version_id})
    return _to_content(actor, rows, capability)


def read_content(
    actor: Actor, node_id: UUID, version_id: UUID | None, *, capability: Capability = Capability.DOWNLOAD
) -> Content:
    """Find the bytes of a file, or of one of its versions, inside the open transaction."""
    rows = fetch_all(CONTENT, {"node_id": node_id, "version_id": version_id})
    return _to_content(actor, rows, capability)


def _to_content(actor: Actor, found: Sequence[tuple[Any, ...]], capability: Capability) -> Content:
    """Judge a file by its way up, and tell of its version; both are the rows of ``CONTENT``."""
    width = len(NodeRow._fields)
    way = Way([NodeRow._make(row[:width]) for row in found]) if found else None
    way = access.require(actor, way, capability)
    if way.node.is_folder:
        raise errors.NotAFile
    version_id, blob_id, media_type, size_bytes, content_hash = found[0][width:]
    require_row(version_id)
    return Content(
        blob_id=blob_id,
        name=way.node.name,
        # A version keeps the type that it came with; what the current one is told to be follows the file's name.
        media_type=way.node.media_type if version_id == way.node.version_id else media_type,
        size_bytes=size_bytes,
        content_hash=content_hash,
        version_id=version_id,
    )


def list_shown_contents(actor: Actor, node_ids: Collection[UUID]) -> dict[UUID, Content]:
    """Find the bytes of those of some nodes that are live files which the actor may see, in two queries."""
    if not node_ids:
        return {}
    with db.read_transaction():
        ways = find_ways(node_ids)
        seen = {
            way.node.version_id: way.node
            for way in ways.values()
            if way.node.version_id is not None and access.find_mask(actor, way) & Capability.VIEW
        }
        blobs = dict(Version.objects.filter(id__in=seen).values_list("id", "blob_id"))
    return {
        node.id: Content(
            blob_id=blobs[version_id],
            name=node.name,
            media_type=node.media_type,
            size_bytes=node.size_bytes,
            content_hash=node.content_hash,
            version_id=version_id,
        )
        for version_id, node in seen.items()
        if version_id in blobs
    }


def find_readable_blob(actor: Actor, content_hash: str, size_bytes: int) -> UUID | None:
    """Find a blob of this content in a file that the actor can read; whether others have it cannot be told from the answer."""
    holders = db.read_alone(HOLDERS, [content_hash, size_bytes])
    if not holders:
        return None  # nearly always, and then it has cost one round trip
    with db.read_transaction():
        ways = find_ways([node_id for node_id, _ in holders])
    for node_id, blob_id in holders:
        if access.find_mask(actor, ways.get(node_id)) & Capability.DOWNLOAD:
            return UUID(str(blob_id))
    return None


def is_committed(upload_id: UUID) -> bool:
    """Tell whether an upload's bytes became a version."""
    with db.read_transaction():
        return Version.objects.filter(upload_id=upload_id).exists()


def find_held_blobs(blob_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Tell which of these blobs a version has."""
    with db.read_transaction():
        held = Version.objects.filter(blob_id__in=blob_ids).values_list("blob_id", flat=True).distinct()
        return frozenset(held)


def find_held_contents(content_hashes: Sequence[str]) -> frozenset[str]:
    """Tell which of these contents a version has."""
    with db.read_transaction():
        held = Version.objects.filter(content_hash__in=content_hashes).values_list("content_hash", flat=True)
        return frozenset(held.distinct())


def find_readable_blobs(actor: Actor, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], UUID]:
    """Find a blob of each of these contents in files that the actor can read, as ``find_readable_blob`` does of one."""
    if not wanted:
        return {}
    distinct = sorted(set(wanted))
    parameters = {"content_hashes": [one for one, _ in distinct], "sizes": [size for _, size in distinct]}
    with db.read_transaction():
        holders = fetch_page(HOLDERS_OF_MANY, parameters)
        ways = find_ways({node_id for *_, node_id, _ in holders}) if holders else {}
    found: dict[tuple[str, int], UUID] = {}
    for content_hash, size_bytes, node_id, blob_id in holders:
        is_readable = access.find_mask(actor, ways.get(node_id)) & Capability.DOWNLOAD
        if is_readable and (content_hash, size_bytes) not in found:
            found[content_hash, size_bytes] = UUID(str(blob_id))
    return found
