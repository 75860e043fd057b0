"""What holds and rules cover: from what they name downwards, and from a node upwards."""

# Policies are few, so each is asked whether it covers; nearly always there is none, and nothing else is read.
COVERING = """
SELECT policy.id, policy.kind, policy.name, policy.keep_days FROM files_retention policy
WHERE policy.lifted_at IS NULL AND (policy.kind = 'hold' OR policy.keep_days IS NOT NULL) AND (
    policy.target = 'vault'
    OR EXISTS (SELECT FROM files_retained WHERE policy_id = policy.id AND node_id = ANY(%(ids)s::uuid[]))
)
ORDER BY policy.kind, policy.keep_days DESC, policy.id
"""

IS_ANY_IN_FORCE = "EXISTS (SELECT FROM files_retention WHERE lifted_at IS NULL)"

# From all named nodes upwards, as locks below a folder are found: what lies below a folder may be everything. Each folder is passed once
# for a policy.
COVERING_TRASH = """
WITH RECURSIVE policy AS (
    SELECT id, kind, name, keep_days, target FROM files_retention
    WHERE lifted_at IS NULL AND (kind = 'hold' OR keep_days IS NOT NULL)
),
above AS (
    SELECT retained.policy_id, node.parent_id AS id FROM files_retained retained JOIN policy ON policy.id = retained.policy_id
    CROSS JOIN LATERAL (SELECT parent_id FROM files_node WHERE files_node.id = retained.node_id LIMIT 1) node
    WHERE node.parent_id IS NOT NULL
    UNION
    SELECT above.policy_id, folder.parent_id
    FROM above, LATERAL (SELECT parent_id FROM files_node WHERE files_node.id = above.id LIMIT 1) folder
    WHERE folder.parent_id IS NOT NULL
)
SELECT entry.node_id, CASE WHEN node.kind = 1 THEN node.modified_at ELSE entry.trashed_at END,
    policy.id, policy.kind, policy.name, policy.keep_days
FROM files_trash entry JOIN files_node node ON node.id = entry.node_id CROSS JOIN policy
WHERE entry.node_id = ANY(%(ids)s::uuid[]) AND (
    policy.target = 'vault'
    OR EXISTS (
        SELECT FROM files_retained WHERE policy_id = policy.id
        AND node_id = ANY(ARRAY[entry.node_id, entry.origin_parent_id] || entry.origin_ids)
    )
    OR (node.child_count > 0 AND (policy.id, entry.node_id) IN (SELECT policy_id, id FROM above))
)
"""

# What something lay in: folders above, and from the top of the trash those that it was deleted from. OFFSET 0 has each looked up by
# its key: ways are guessed ten times as long, and then all that policies name is read at every move.
CARRY = """
WITH RECURSIVE moved AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(parent_ids)s::uuid[]) AS moved(id, to_id)
    WHERE EXISTS (SELECT FROM files_retained)
),
way AS (
    SELECT moved.id AS start_id, true AS is_old, node.id, node.parent_id
    FROM moved, LATERAL (SELECT id, parent_id FROM files_node WHERE files_node.id = moved.id LIMIT 1) node
    UNION ALL
    SELECT moved.id, false, node.id, node.parent_id
    FROM moved, LATERAL (SELECT id, parent_id FROM files_node WHERE files_node.id = moved.to_id LIMIT 1) node
    UNION ALL
    SELECT way.start_id, way.is_old, above.id, above.parent_id
    FROM way, LATERAL (SELECT id, parent_id FROM files_node WHERE files_node.id = way.parent_id LIMIT 1) above
),
origin AS (
    SELECT way.start_id, lay.id FROM way
    CROSS JOIN LATERAL (SELECT origin_parent_id, origin_ids FROM files_trash WHERE node_id = way.id LIMIT 1) entry,
        unnest(entry.origin_parent_id || entry.origin_ids) AS lay(id)
    WHERE way.is_old
    UNION ALL
    SELECT start_id, id FROM way WHERE is_old
),
there AS (
    SELECT way.start_id, retained.policy_id
    FROM way CROSS JOIN LATERAL (SELECT policy_id FROM files_retained WHERE node_id = way.id OFFSET 0) retained
    WHERE NOT way.is_old
)
INSERT INTO files_retained (policy_id, node_id, by, since)
SELECT DISTINCT retained.policy_id, origin.start_id, %(by)s, %(now)s::timestamptz
FROM origin CROSS JOIN LATERAL (SELECT policy_id FROM files_retained WHERE node_id = origin.id OFFSET 0) retained
JOIN files_retention policy ON policy.id = retained.policy_id AND policy.lifted_at IS NULL
WHERE origin.id <> origin.start_id AND NOT EXISTS (
    SELECT FROM there WHERE there.start_id = origin.start_id AND there.policy_id = retained.policy_id
)
ON CONFLICT DO NOTHING
"""

BELOW_NAMED = """
WITH RECURSIVE below AS (
    SELECT node.id, node.kind, node.modified_at, node.lock
    FROM files_retained retained JOIN files_node node ON node.id = retained.node_id
    WHERE retained.policy_id = %(policy_id)s AND retained.by <> 'moved' AND retained.left_at IS NULL AND node.trashed_at IS NULL
    UNION
    SELECT child.id, child.kind, child.modified_at, child.lock FROM below JOIN files_node child ON child.parent_id = below.id
)
SELECT id FROM below WHERE kind = 1 AND lock IS NULL AND modified_at < %(before)s AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid)
ORDER BY id LIMIT %(limit)s
"""

OF_NODE = """
SELECT policy.id, policy.kind, policy.name, policy.keep_days, policy.delete_after_days, policy.target = 'vault' OR EXISTS (
    SELECT FROM files_retained WHERE policy_id = policy.id AND node_id = ANY(%(ids)s::uuid[]) AND by <> 'moved' AND left_at IS NULL
)
FROM files_retention policy
WHERE policy.lifted_at IS NULL AND (
    policy.target = 'vault'
    OR EXISTS (SELECT FROM files_retained WHERE policy_id = policy.id AND node_id = ANY(%(ids)s::uuid[]))
)
ORDER BY policy.kind, policy.id
"""

_HOLDS = "ARRAY(SELECT id FROM files_retention WHERE kind = 'hold' AND lifted_at IS NULL)"

# What holds name, and what lay in that before it was put into the trash: both read in the order of their ids, as far as a page goes.
HELD = f"""
WITH page AS (
    (
        SELECT DISTINCT node_id FROM files_retained WHERE node_id > %(after)s AND policy_id = ANY({_HOLDS})
        ORDER BY node_id LIMIT %(limit)s
    )
    UNION
    (
        SELECT node_id FROM files_trash WHERE node_id > %(after)s AND EXISTS (
            SELECT FROM files_retained retained
            WHERE retained.node_id = ANY(files_trash.origin_parent_id || files_trash.origin_ids) AND policy_id = ANY({_HOLDS})
        )
        ORDER BY node_id LIMIT %(limit)s
    )
    ORDER BY node_id LIMIT %(limit)s
)
SELECT page.node_id, array_agg(DISTINCT retained.policy_id)
FROM page LEFT JOIN files_trash entry ON entry.node_id = page.node_id
CROSS JOIN LATERAL (
    SELECT policy_id FROM files_retained
    WHERE node_id = ANY(page.node_id || (entry.origin_parent_id || entry.origin_ids)) AND policy_id = ANY({_HOLDS}) OFFSET 0
) retained
GROUP BY page.node_id ORDER BY page.node_id
"""
