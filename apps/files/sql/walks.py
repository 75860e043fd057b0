"""Walks up and down the tree: each step is a look-up by key, whatever the tree holds."""

from apps.files.models import Kind
from apps.files.sql import COLUMNS, columns_of

# LIMIT 1 says what the planner cannot guess, that a way is short: it takes a hundred rows a step for granted and reads the whole table.
WAY = f"""
WITH RECURSIVE way AS (
    SELECT {COLUMNS}, id AS start_id, 0 AS up FROM files_node WHERE id = ANY(%(ids)s::uuid[]) OR owner_user_id = %(owner_id)s
    UNION ALL
    SELECT {columns_of("above")}, way.start_id, way.up + 1
    FROM way, LATERAL (SELECT * FROM files_node WHERE files_node.id = way.parent_id LIMIT 1) above
)
SELECT {COLUMNS}, start_id FROM way ORDER BY up
"""

# The way up from a file, and on its own row the version that is asked for: a download is judged and found in one round trip. The version by
# a queryset was another one, and building it a model took longer than the server needs for both (the row "downloads" of the benchmarks).
CONTENT = f"""
WITH RECURSIVE way AS (
    SELECT {COLUMNS}, 0 AS up FROM files_node WHERE id = %(node_id)s
    UNION ALL
    SELECT {columns_of("above")}, way.up + 1
    FROM way, LATERAL (SELECT * FROM files_node WHERE files_node.id = way.parent_id LIMIT 1) above
)
SELECT {columns_of("way")}, version.id, version.blob_id, version.media_type, version.size_bytes, version.content_hash
FROM way LEFT JOIN LATERAL (
    SELECT * FROM files_version
    WHERE way.up = 0 AND files_version.id = coalesce(%(version_id)s, way.version_id) AND files_version.node_id = way.id LIMIT 1
) version ON true
ORDER BY way.up
"""

EXTENT_BELOW = """
WITH RECURSIVE below AS (
    SELECT id, 0 AS levels, 0 AS path_bytes FROM files_node WHERE id = %s
    UNION ALL
    SELECT child.id, below.levels + 1, below.path_bytes + 1 + octet_length(child.name)
    FROM below JOIN files_node child ON child.parent_id = below.id
)
SELECT max(levels), max(path_bytes) FROM below
"""

# From all locked files upwards: they are few, and what lies below a folder may be everything. Each folder on the ways is passed once.
HAS_LOCKED_BELOW = """
WITH RECURSIVE above AS (
    SELECT parent_id AS id FROM files_node WHERE lock IS NOT NULL
    UNION
    SELECT folder.parent_id FROM above, LATERAL (SELECT parent_id FROM files_node WHERE files_node.id = above.id LIMIT 1) folder
)
SELECT EXISTS (SELECT FROM above WHERE id = %s)
"""

LOCKED_BELOW = f"""
WITH RECURSIVE above AS (
    SELECT id AS locked_id, parent_id AS id FROM files_node WHERE lock IS NOT NULL
    UNION ALL
    SELECT above.locked_id, folder.parent_id
    FROM above, LATERAL (SELECT parent_id FROM files_node WHERE files_node.id = above.id LIMIT 1) folder
)
SELECT {COLUMNS} FROM files_node WHERE id IN (SELECT locked_id FROM above WHERE above.id = %s) ORDER BY id
"""

BY_PATH = f"""
WITH RECURSIVE walk AS (
    SELECT {COLUMNS}, 0 AS level FROM files_node
    WHERE owner_user_id = %(owner_id)s OR id = %(root_id)s
    UNION ALL
    SELECT {columns_of("node")}, walk.level + 1
    FROM walk JOIN files_node node ON node.parent_id = walk.id AND node.name_key = (%(keys)s::text[])[walk.level + 1]
)
SELECT {COLUMNS} FROM walk ORDER BY level DESC
"""

# The recursion is read as far as the limit alone.
FILES_BELOW = f"""
WITH RECURSIVE below AS (
    SELECT id, kind, name, size_bytes FROM files_node WHERE id = %(id)s
    UNION ALL
    SELECT child.id, child.kind, child.name, child.size_bytes FROM below JOIN files_node child ON child.parent_id = below.id
)
SELECT kind = {Kind.FILE.value}, name, size_bytes FROM below LIMIT %(limit)s
"""

_ARCHIVED_BELOW = """
WITH RECURSIVE below AS (
    SELECT id, parent_id, kind, name, version_id, size_bytes, coalesce(client_modified_at, modified_at) AS changed_at,
        octet_length(name) + 1 AS path_bytes
    FROM files_node WHERE id = ANY(%(ids)s::uuid[])
    UNION ALL
    SELECT child.id, child.parent_id, child.kind, child.name, child.version_id, child.size_bytes,
        coalesce(child.client_modified_at, child.modified_at), below.path_bytes + octet_length(child.name) + 1
    FROM below JOIN files_node child ON child.parent_id = below.id
)
"""

# The recursion is read as far as the limit alone.
MEASURE_ARCHIVE = f"""
{_ARCHIVED_BELOW}
SELECT count(*) FILTER (WHERE kind = {Kind.FILE.value}), count(*) FILTER (WHERE kind = {Kind.FOLDER.value}),
    coalesce(sum(size_bytes), 0)::bigint, coalesce(sum(path_bytes), 0)::bigint
FROM (SELECT kind, size_bytes, path_bytes FROM below LIMIT %(limit)s) counted
"""

LIST_ARCHIVE = f"""
{_ARCHIVED_BELOW}, counted AS (SELECT * FROM below LIMIT %(limit)s)
SELECT counted.id, counted.parent_id, counted.name, counted.size_bytes, counted.changed_at, version.blob_id
FROM counted LEFT JOIN files_version version ON version.id = counted.version_id
"""

# The recursion is read as far as the limit alone.
MEASURE_COPY = """
WITH RECURSIVE below AS (
    SELECT id, size_bytes FROM files_node WHERE id = %(id)s
    UNION ALL
    SELECT child.id, child.size_bytes FROM below JOIN files_node child ON child.parent_id = below.id
)
SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM (SELECT size_bytes FROM below LIMIT %(limit)s) counted
"""
