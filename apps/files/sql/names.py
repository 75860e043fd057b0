"""Names in a folder: which are taken, which number is free, and keys that are brought up to the code."""

_IS_TAKEN = """EXISTS (
    SELECT FROM files_node WHERE parent_id = %(parent_id)s
    AND name_key = (%(prefixes)s::text[])[length({number}::text)] || {number} || %(suffix)s::text
)"""

# The first few numbers one by one, so that gaps are filled; then ever larger steps to a free number, and halves of the last step. The
# limit of children bounds the steps; CASE keeps the planner from reading the folder instead of looking the names up.
FREE_NUMBER = f"""
WITH RECURSIVE few AS (
    SELECT number FROM generate_series(2, 17) AS number
    WHERE NOT (CASE WHEN number > 0 THEN {_IS_TAKEN.format(number="number")} END) LIMIT 1
),
search AS (
    SELECT 17::bigint AS taken, NULL::bigint AS free, 34::bigint AS number WHERE NOT EXISTS (SELECT FROM few)
    UNION ALL
    SELECT bounds.taken, bounds.free, CASE WHEN bounds.free IS NULL THEN bounds.taken * 2 ELSE (bounds.taken + bounds.free) / 2 END
    FROM search,
        LATERAL (SELECT {_IS_TAKEN.format(number="search.number")} AS is_taken OFFSET 0) looked_up,
        LATERAL (
            SELECT CASE WHEN is_taken THEN search.number ELSE search.taken END AS taken,
                CASE WHEN is_taken THEN search.free ELSE search.number END AS free
        ) bounds
    WHERE search.free IS NULL OR search.free - search.taken > 1
)
SELECT coalesce((SELECT number FROM few), (SELECT min(free) FROM search))
"""

TAKEN = """
SELECT node.parent_id, node.name_key
FROM (
    SELECT parent_id, name_key COLLATE "C" AS name_key
    FROM unnest(%(parent_ids)s::uuid[], %(name_keys)s::text[]) AS w(parent_id, name_key)
) wanted
JOIN files_node node ON node.parent_id = wanted.parent_id AND node.name_key = wanted.name_key
"""

REKEY = """
UPDATE files_node SET sort_key = told.sort_key, key_version = %(key_version)s
FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(sort_keys)s::text[]) AS told(id, name, sort_key)
WHERE files_node.id = told.id AND files_node.name = told.name AND files_node.key_version < %(key_version)s
"""

REKEY_DUE = "SELECT id, name FROM files_node WHERE key_version < {version} ORDER BY id LIMIT %s"
