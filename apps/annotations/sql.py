"""Hand-written SQL: what lists of nodes ask for each page."""

# A page of a folder asks for tags and favourites together, alone in its transaction: one round trip instead of four.
MARKS = """
SELECT node_id, NULL::uuid AS tag_id, NULL AS name, NULL AS colour FROM annotations_favourite
WHERE user_id = %(user_id)s AND node_id = ANY(%(node_ids)s::uuid[])
UNION ALL
SELECT held.node_id, tag.id, tag.name, tag.colour FROM annotations_node_tag held JOIN annotations_tag tag ON tag.id = held.tag_id
WHERE held.node_id = ANY(%(node_ids)s::uuid[])
"""
