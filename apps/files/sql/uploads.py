"""What an upload meets: the file that has its name, what became of it before, and who has its content already.

Each is asked for every upload, so it is one round trip with a plan that the server keeps.
"""

EARLIER = """
SELECT node_id, created_by, true FROM files_version WHERE upload_id = %(upload_id)s
UNION ALL
SELECT node_id, settled_by, false FROM files_settled_upload WHERE upload_id = %(upload_id)s
"""

EARLIER_OF_MANY = """
SELECT upload_id, node_id, created_by, true FROM files_version WHERE upload_id = ANY(%(ids)s::uuid[])
UNION ALL
SELECT upload_id, node_id, settled_by, false FROM files_settled_upload WHERE upload_id = ANY(%(ids)s::uuid[])
"""

_TARGET = """
SELECT node.id, node.kind, node.name, version.id, version.blob_id, node.lock
FROM files_node node
LEFT JOIN files_version version ON version.node_id = node.id AND version.id = coalesce(%(base_version_id)s, node.version_id)
"""

TARGET_BY_ID = f"{_TARGET} WHERE node.id = %(node_id)s"

TARGET_BY_NAME = f"{_TARGET} WHERE node.parent_id = %(parent_id)s AND node.name_key = %(name_key)s"

TARGETS = """
SELECT wanted.parent_id, wanted.name_key, node.id, node.kind, node.name, version.id, version.blob_id, node.lock
FROM (
    SELECT parent_id, name_key COLLATE "C" AS name_key
    FROM unnest(%(parent_ids)s::uuid[], %(name_keys)s::text[]) AS w(parent_id, name_key)
) wanted
JOIN files_node node ON node.parent_id = wanted.parent_id AND node.name_key = wanted.name_key
LEFT JOIN files_version version ON version.node_id = node.id AND version.id = node.version_id
"""

CANDIDATE_LIMIT = 20
"""How many files of the same content are looked at for one that the caller can read: bounds the cost of an optimisation."""

HOLDERS = f"""
SELECT node_id, blob_id FROM files_version WHERE content_hash = %s AND size_bytes = %s ORDER BY id DESC LIMIT {CANDIDATE_LIMIT}
"""

HOLDERS_OF_MANY = f"""
SELECT wanted.content_hash, wanted.size_bytes, holder.node_id, holder.blob_id
FROM unnest(%(content_hashes)s::text[], %(sizes)s::bigint[]) AS wanted(content_hash, size_bytes), LATERAL (
    SELECT node_id, blob_id FROM files_version version
    WHERE version.content_hash = wanted.content_hash AND version.size_bytes = wanted.size_bytes
    ORDER BY version.id DESC LIMIT {CANDIDATE_LIMIT}
) holder
"""
