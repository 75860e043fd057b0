"""The record of what was: closed and renumbered for many nodes at once, swept in batches, read as of a moment."""

_AT = "from_seq <= %(seq)s AND (until_seq IS NULL OR until_seq > %(seq)s)"

CHILDREN_THEN = f"""
SELECT past.node_id, past.kind, past.sort_key, past.name, past.version_id, past.from_at,
    version.size_bytes, version.media_type, version.content_hash, version.created_at
FROM files_placement past LEFT JOIN files_version version ON version.id = past.version_id
WHERE past.parent_id = %(folder_id)s AND past.state = 0 AND {_AT}
    AND (past.kind, past.sort_key, past.node_id) > (%(kind)s, %(sort_key)s, %(after_id)s::uuid)
ORDER BY past.kind, past.sort_key, past.node_id LIMIT %(limit)s
"""

CONTENT_THEN = f"""
SELECT past.name, version.id, version.blob_id, version.media_type, version.size_bytes, version.content_hash
FROM files_placement past JOIN files_version version ON version.id = past.version_id
WHERE past.node_id = %(node_id)s AND {_AT}
"""

CLOSE = """
UPDATE files_placement SET until_seq = closed.seq, until_at = closed.at
FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) AS closed(node_id, seq, at)
WHERE files_placement.node_id = closed.node_id AND files_placement.until_seq IS NULL
"""

RENUMBER = """
UPDATE files_placement SET revision = told.revision FROM unnest(%s::uuid[], %s::bigint[]) AS told(node_id, revision)
WHERE files_placement.node_id = told.node_id AND files_placement.until_seq IS NULL
"""

SWEEP = """
DELETE FROM files_placement WHERE (node_id, from_seq) IN (
    SELECT node_id, from_seq FROM files_placement WHERE until_seq IS NOT NULL AND until_at < %(before)s LIMIT %(limit)s
)
"""

SWEEP_PURGED = """
DELETE FROM files_placement WHERE (node_id, from_seq) IN (
    SELECT node_id, from_seq FROM files_placement
    WHERE state = 2 AND until_seq IS NULL AND from_at < %(before)s LIMIT %(limit)s
)
"""
