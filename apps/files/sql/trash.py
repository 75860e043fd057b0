"""The trash: its pages, the way back to where something was, and deleting permanently in batches."""

from apps.files.sql import COLUMNS, columns_of
from apps.files.sql.pages import LAST_ID
from apps.files.sql.retention import IS_ANY_IN_FORCE

# From where nodes of the trash were up through folders and, where those lie in the trash, through where they were; a folder that is deleted
# permanently is passed over. What was trashed from below another was trashed before it, so the tops of the trash close no circle.
_FIRST_LEFT = """
    SELECT above.* FROM unnest({origin_ids}) WITH ORDINALITY AS origin(id, place) JOIN files_node above ON above.id = origin.id
    ORDER BY origin.place LIMIT 1
"""

_CLIMB = f"""
WITH RECURSIVE climb AS (
    SELECT {columns_of("above")}, begun.id AS start_id, 0 AS up
    FROM ({{begun}}) AS begun(id, origin_ids), LATERAL ({_FIRST_LEFT.format(origin_ids="begun.origin_ids")}) above
    UNION ALL
    SELECT {columns_of("above")}, climb.start_id, climb.up + 1
    FROM climb, LATERAL (
        (SELECT * FROM files_node WHERE files_node.id = climb.parent_id LIMIT 1)
        UNION ALL
        (
            SELECT above.* FROM files_trash entry,
                LATERAL ({_FIRST_LEFT.format(origin_ids="entry.origin_parent_id || entry.origin_ids")}) above
            WHERE entry.node_id = climb.id AND climb.trashed_at IS NOT NULL
        )
    ) above
)
"""

_TRASHED_NODES = "SELECT node_id, origin_parent_id || origin_ids FROM files_trash WHERE node_id = ANY(%(ids)s::uuid[])"

CLIMB_TOPS = f"{_CLIMB.format(begun=_TRASHED_NODES)} SELECT start_id, id FROM climb WHERE trashed_at IS NOT NULL"

CLIMB_ONE = f"""
{_CLIMB.format(begun="SELECT NULL::uuid, %(origin_ids)s::uuid[]")} SELECT {COLUMNS} FROM climb ORDER BY up
"""

# A node that is gone though its row is here was purged by older code, which gave its bytes back at the end.
MARKED = """
SELECT entry.node_id, node.child_count, entry.purged_by, entry.purged_bytes
FROM files_trash entry LEFT JOIN files_node node ON node.id = entry.node_id
WHERE entry.purging AND (entry.postponed_until IS NULL OR entry.postponed_until <= %(now)s)
    AND (%(only)s::uuid[] IS NULL OR entry.node_id = ANY(%(only)s::uuid[]))
ORDER BY entry.node_id LIMIT %(limit)s
"""

# Versions, nodes, and the counters of folders that stay for the next batch: one fact in several tables, one statement.
DELETE = """
WITH freed AS (DELETE FROM files_version WHERE node_id = ANY(%(ids)s::uuid[]) RETURNING node_id, id, blob_id, size_bytes),
settled AS (DELETE FROM files_settled_upload WHERE node_id = ANY(%(ids)s::uuid[])),
displaced AS (DELETE FROM files_displaced WHERE node_id = ANY(%(ids)s::uuid[])),
named AS (DELETE FROM files_retained WHERE node_id = ANY(%(ids)s::uuid[])),
gone AS (DELETE FROM files_node WHERE id = ANY(%(ids)s::uuid[]) RETURNING parent_id),
left_behind AS (
    UPDATE files_node SET child_count = child_count - lost.children
    FROM (SELECT parent_id, count(*) AS children FROM gone GROUP BY parent_id) lost
    WHERE files_node.id = lost.parent_id AND files_node.id <> ALL(%(ids)s::uuid[])
)
SELECT node_id, id, blob_id, size_bytes FROM freed ORDER BY id
"""

PAGE = f"""
SELECT {columns_of("node")}, {IS_ANY_IN_FORCE}, entry.origin_parent_id,
    entry.origin_path, entry.trashed_by, entry.expires_at
FROM files_trash entry JOIN files_node node ON node.id = entry.node_id
WHERE entry.root_id = %(root_id)s AND NOT entry.purging
    AND (entry.trashed_at, entry.node_id) < (coalesce(%(before)s::timestamptz, 'infinity'), coalesce(%(before_id)s::uuid, '{LAST_ID}'))
ORDER BY entry.trashed_at DESC, entry.node_id DESC LIMIT %(limit)s
"""

TRASHED = f"""
SELECT {columns_of("node")}, {IS_ANY_IN_FORCE}, entry.root_id,
    entry.origin_parent_id, entry.origin_path, entry.trashed_by, entry.expires_at
FROM files_trash entry JOIN files_node node ON node.id = entry.node_id
WHERE entry.node_id = ANY(%(ids)s::uuid[]) AND NOT entry.purging
"""

INDEX = """
SELECT place - 1 FROM (
    SELECT node.name_key, row_number() OVER (ORDER BY entry.trashed_at DESC, entry.node_id DESC) AS place
    FROM files_trash entry JOIN files_node node ON node.id = entry.node_id
    WHERE entry.root_id = %(root_id)s AND NOT entry.purging
) AS listed WHERE starts_with(name_key, %(prefix)s) ORDER BY place <= %(after)s + 1, place LIMIT 1
"""
