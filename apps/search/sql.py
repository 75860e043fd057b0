"""Statements of search that the ORM cannot say."""

# The first change that is not sent counts for how far the index is, the last one for whether it has been sent.
NOTE_UNSENT = """
INSERT INTO search_unsent (node_id, seq, mark) SELECT node_id, %(seq)s, %(mark)s FROM unnest(%(node_ids)s::uuid[]) AS node_id
ON CONFLICT (node_id) DO UPDATE SET seq = least(search_unsent.seq, excluded.seq), mark = excluded.mark
"""

# A field that is gone is taken out of every node that has it, without reading any.
REMOVE_VALUES = 'UPDATE search_described SET "values" = "values" - %(gone)s::text[] WHERE "values" ?| %(gone)s::text[]'
