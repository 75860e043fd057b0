"""Hand-written SQL: what pages of folders ask each time."""

# A page of a folder asks for tags and favourites together, alone in its transaction: one round trip instead of four.
MARKS = """
SELECT node_id, NULL::uuid AS tag_id, NULL AS name, NULL AS colour FROM annotations_favourite
WHERE user_id = %(user_id)s AND node_id = ANY(%(node_ids)s::uuid[])
UNION ALL
SELECT held.node_id, tag.id, tag.name, tag.colour FROM annotations_node_tag held JOIN annotations_tag tag ON tag.id = held.tag_id
WHERE held.node_id = ANY(%(node_ids)s::uuid[])
"""

# Every page of a folder asks for its description, alone in its transaction: one round trip instead of three.
DESCRIPTION = "SELECT text, revision FROM annotations_description WHERE node_id = %(node_id)s"
