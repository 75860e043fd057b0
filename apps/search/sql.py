"""Statements of search that the ORM cannot say."""

# The first change that is not sent counts for how far the index is, the last one for whether it has been sent.
NOTE_UNSENT = """
INSERT INTO search_unsent (node_id, seq, mark) SELECT node_id, %(seq)s, %(mark)s FROM unnest(%(node_ids)s::uuid[]) AS node_id
ON CONFLICT (node_id) DO UPDATE SET seq = least(search_unsent.seq, excluded.seq), mark = excluded.mark
"""

# A field that is gone is taken out of every node that has it, without reading any.
REMOVE_VALUES = """
UPDATE search_described SET "values" = "values" - %(gone)s::text[] WHERE "values" ?| %(gone)s::text[] RETURNING node_id
"""

# --- what is on legal hold: the ORM has no recursion -----------------------------------------------------------------------

# The walk is over what lies below the nodes that holds name, and each of its steps a look-up by the folder: the ORM has no recursion.
HELD = """
WITH RECURSIVE held AS (
    SELECT node_id FROM search_held WHERE policy_ids && (SELECT array_agg(policy_id) FROM search_hold)
    UNION
    SELECT document.node_id FROM held JOIN search_document document ON document.parent_id = held.node_id
)
SELECT node_id FROM held
"""

# A join with all that is on hold, which is walked once: as a list behind IN it would be looked through for each row (13 s for 100,000).
IS_HELD = f"EXISTS (SELECT FROM ({HELD}) held WHERE held.node_id = search_document.node_id)"

# The folders among it, which are a small part: an engine elsewhere finds what lies in them by itself.
HELD_FOLDERS = """
WITH RECURSIVE held AS (
    SELECT document.node_id FROM search_held named JOIN search_document document ON document.node_id = named.node_id
    WHERE named.policy_ids && (SELECT array_agg(policy_id) FROM search_hold) AND document.is_folder
    UNION
    SELECT document.node_id FROM held JOIN search_document document ON document.parent_id = held.node_id AND document.is_folder
)
SELECT node_id FROM held LIMIT %s
"""

# What lies above nodes, up to what a hold may name.
ABOVE = """
WITH RECURSIVE above AS (
    SELECT node_id, parent_id FROM search_document WHERE node_id = ANY(%s::uuid[])
    UNION
    SELECT document.node_id, document.parent_id FROM above JOIN search_document document ON document.node_id = above.parent_id
)
SELECT node_id, parent_id FROM above
"""
