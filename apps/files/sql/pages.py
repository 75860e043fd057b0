"""Pages of long lists, and lists of roots."""

from uuid import UUID

from apps.files.dtos import OrderName, SortName
from apps.files.sql import COLUMNS, columns_of

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
"""Before and behind all ids. A first page is one behind such an end, never a condition that may be left out: the plan that the server
keeps for all pages would read from the beginning for each."""

ROOTS = f"""
SELECT {COLUMNS} FROM files_node WHERE owner_user_id = %(user_id)s
UNION ALL
SELECT {COLUMNS} FROM files_node
WHERE is_team_folder AND trashed_at IS NULL AND (%(administers)s::boolean OR id = ANY(%(ids)s::uuid[]))
"""

TREE_ROWS = """
SELECT node.id, node.kind, node.parent_id, node.trashed_at IS NOT NULL, node.name, node.revision, node.size_bytes, node.media_type,
    node.content_hash, node.version_id, (SELECT blob_id FROM files_version WHERE id = node.version_id), node.created_at,
    node.modified_at, node.client_modified_at, node.created_by, node.lock, held.version_count, held.size_bytes
FROM files_node node CROSS JOIN LATERAL (
    SELECT count(*) AS version_count, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM files_version WHERE node_id = node.id
) held
WHERE node.id > %(after)s::uuid ORDER BY node.id LIMIT %(limit)s
"""

_TEAM_FOLDERS = f"""
SELECT {columns_of("node")}, entry.expires_at
FROM files_node node LEFT JOIN files_trash entry ON entry.node_id = node.id
WHERE node.is_team_folder AND entry.purging IS NOT TRUE
"""

LIVE_TEAM_FOLDERS = f"{_TEAM_FOLDERS} AND node.trashed_at IS NULL ORDER BY node.sort_key, node.id"

ENDED_TEAM_FOLDERS = f"{_TEAM_FOLDERS} AND node.trashed_at IS NOT NULL ORDER BY node.trashed_at DESC, node.id"

TEAM_FOLDER = f"{_TEAM_FOLDERS} AND node.id = %(folder_id)s"

SORT_COLUMNS: dict[SortName, str] = {"name": "sort_key", "modified_at": "modified_at", "size_bytes": "size_bytes"}
_SORT_TYPES: dict[SortName, str] = {"name": "text", "modified_at": "timestamptz", "size_bytes": "bigint"}


def page_of_children(sort: SortName, order: OrderName, after_kind: int | None) -> str:
    """Write the statement for a page of a folder: the first one, or one behind a node of this kind."""
    column, sql_type = SORT_COLUMNS[sort], _SORT_TYPES[sort]
    direction, comparison = ("ASC", ">") if order == "asc" else ("DESC", "<")
    walks = []
    for kind in (0, 1):
        if after_kind is not None and kind < after_kind:
            continue
        after = (
            f"AND ({column}, id) {comparison} (%(key)s::{sql_type}, %(after_id)s::uuid)" if kind == after_kind else ""
        )
        walks.append(
            f"(SELECT {COLUMNS}, {column} AS sort_value FROM files_node WHERE parent_id = %(folder_id)s AND kind = {kind} {after} "
            f"ORDER BY {column} {direction}, id {direction} LIMIT %(limit)s)"
        )
    union = " UNION ALL ".join(walks)
    # A walk over all children: once for a list, not for each of its pages.
    total = "(SELECT COALESCE(SUM(size_bytes), 0)::bigint FROM files_node WHERE parent_id = %(folder_id)s)"
    if after_kind is not None:
        total = "NULL::bigint"
    return (
        f"SELECT *, {total} FROM ({union}) AS walks "
        f"ORDER BY kind, sort_value {direction}, id {direction} LIMIT %(limit)s"
    )


def child_at(sort: SortName, order: OrderName) -> str:
    """Write the statement for where the page begins that starts with a row of a folder, by its number."""
    return f"SELECT kind, key, id FROM ({_listed(sort, order)}) AS listed WHERE place = %(at)s"


def index_of_child(sort: SortName, order: OrderName) -> str:
    """Write the statement for the index, from 0, of the next row whose name begins with something."""
    return (
        f"SELECT place - 1 FROM ({_listed(sort, order)}) AS listed WHERE starts_with(name_key, %(prefix)s) "
        "ORDER BY place <= %(after)s + 1, place LIMIT 1"
    )


def _listed(sort: SortName, order: OrderName) -> str:
    """Number the rows of a folder from 1 on: a walk along its index, at most as long as a folder may be (20 ms at the limit)."""
    column, direction = SORT_COLUMNS[sort], "ASC" if order == "asc" else "DESC"
    return (
        f"SELECT id, kind, name_key, {column} AS key, row_number() OVER (ORDER BY kind, {column} {direction}, id {direction}) AS place "
        "FROM files_node WHERE parent_id = %(folder_id)s"
    )
