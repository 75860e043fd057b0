"""Hand-written SQL: the question of every request."""

# One row for each node and end, however many principals bring it; what the person has left is read once. Alone in its transaction it is one
# round trip instead of three; with 5,000 own permissions the rows come as they are, without model instances (`make bench`, "page of 200
# with 5,000 own permissions").
REACH = """
SELECT node_id, bit_or(capabilities), expires_at FROM sharing_permission
WHERE principal_id = ANY(%(principal_ids)s::uuid[]) AND (expires_at IS NULL OR expires_at > %(now)s)
    AND id <> ALL(ARRAY(SELECT share_id FROM sharing_left_share WHERE user_id = %(user_id)s))
GROUP BY node_id, expires_at
"""
