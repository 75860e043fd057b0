"""Statements that are hand-written because each upload waits for them, or because the ORM cannot say them."""

# --- uploads: one statement is the whole transaction, in one round trip (`db.write_alone`) -------------------------------------

# The promise is made, and the limits are judged, by the one row that all uploads of a tenant wait for. A queryset that locks it, and then
# writes, holds it for three round trips.
RESERVE = """
WITH room AS (
    UPDATE billing_quota q SET reserved_bytes = q.reserved_bytes + %(size_bytes)s
    FROM public.billing_plan p
    WHERE q.scope = 'tenant' AND p.id = q.plan_id
      AND q.used_bytes + q.reserved_bytes + %(size_bytes)s
          <= LEAST(COALESCE(q.limit_bytes, p.limit_bytes), q.own_limit_bytes)
      AND %(file_bytes)s <= COALESCE(q.file_limit_bytes, p.file_limit_bytes, %(file_bytes)s)
    RETURNING q.scope
)
INSERT INTO billing_reservation (upload_id, size_bytes, expires_at, state, root_id)
SELECT %(upload_id)s, %(size_bytes)s, %(expires_at)s, 'held', %(root_id)s::uuid FROM room
RETURNING upload_id
"""

# The same row, for one upload or a batch of them.
SETTLE = """
WITH given AS (SELECT upload_id, size_bytes FROM unnest(%(upload_ids)s::uuid[], %(sizes)s::bigint[]) AS g(upload_id, size_bytes)),
before AS (
    SELECT upload_id, state, size_bytes FROM billing_reservation WHERE upload_id = ANY(%(upload_ids)s::uuid[])
    ORDER BY upload_id FOR UPDATE
), done AS (
    UPDATE billing_reservation r SET state = 'settled'
    FROM before WHERE r.upload_id = before.upload_id AND before.state <> 'settled'
    RETURNING r.upload_id, r.root_id, CASE WHEN before.state = 'held' THEN before.size_bytes ELSE 0 END AS promised_bytes
), total AS (
    SELECT count(*) AS settled_count, COALESCE(sum(given.size_bytes), 0) AS charged_bytes,
        COALESCE(sum(done.promised_bytes), 0) AS promised_bytes, COALESCE(bool_or(done.root_id IS NOT NULL), false) AS has_roots
    FROM done JOIN given ON given.upload_id = done.upload_id
)
UPDATE billing_quota q SET
    used_bytes = q.used_bytes + total.charged_bytes, reserved_bytes = q.reserved_bytes - total.promised_bytes
FROM total WHERE q.scope = 'tenant'
RETURNING total.settled_count, total.has_roots
"""

# --- the meter: walks through the tree, and sums that grow by what is added (`bulk_create` can only replace) ---------------------

SUBTREE = """
WITH RECURSIVE below AS (
    SELECT node_id, size_bytes FROM billing_metered_node WHERE node_id = %s
    UNION ALL
    SELECT child.node_id, child.size_bytes
    FROM below JOIN billing_metered_node child ON child.parent_id = below.node_id
)
SELECT coalesce(sum(size_bytes), 0) FROM below
"""

ROOTS = """
WITH RECURSIVE up AS (
    SELECT node_id AS below_id, node_id, parent_id FROM billing_metered_node WHERE node_id = ANY(%s)
    UNION ALL
    SELECT up.below_id, above.node_id, above.parent_id
    FROM up JOIN billing_metered_node above ON above.node_id = up.parent_id
)
SELECT below_id, node_id FROM up WHERE parent_id IS NULL
"""

NODES = """
INSERT INTO billing_metered_node (node_id, parent_id, is_folder, size_bytes)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bool[], %s::bigint[])
ON CONFLICT (node_id) DO UPDATE SET size_bytes = billing_metered_node.size_bytes + excluded.size_bytes
"""

ROOT_USAGE = """
INSERT INTO billing_root_usage (root_id, used_bytes) SELECT * FROM unnest(%s::uuid[], %s::bigint[])
ON CONFLICT (root_id) DO UPDATE SET used_bytes = billing_root_usage.used_bytes + excluded.used_bytes
"""

GAUGES = """
INSERT INTO billing_usage_gauge (metric, amount) SELECT * FROM unnest(%s::text[], %s::bigint[])
ON CONFLICT (metric) DO UPDATE SET amount = billing_usage_gauge.amount + excluded.amount
"""

FLOWS = """
INSERT INTO billing_usage_day (day, metric, amount) SELECT * FROM unnest(%s::date[], %s::text[], %s::bigint[])
ON CONFLICT (day, metric) DO UPDATE SET amount = billing_usage_day.amount + excluded.amount
"""

CLOSING = """
INSERT INTO billing_usage_day (day, metric, amount) SELECT %s, metric, amount FROM billing_usage_gauge
ON CONFLICT (day, metric) DO UPDATE SET amount = excluded.amount
"""

# --- rebuilding the meter: every node of the tenant is written by one statement, without passing Python --------------------------

SWAP = """
INSERT INTO billing_metered_node (node_id, parent_id, is_folder, size_bytes)
SELECT node_id, parent_id, is_folder, size_bytes FROM billing_rebuilt_node
"""

RECOUNT = """
WITH RECURSIVE trashed AS (
    SELECT node_id, size_bytes FROM billing_rebuilt_node WHERE is_trashed
    UNION ALL
    SELECT child.node_id, child.size_bytes FROM trashed JOIN billing_metered_node child ON child.parent_id = trashed.node_id
),
total AS (
    SELECT coalesce(sum(size_bytes), 0) AS bytes, coalesce(sum(version_count), 0) AS versions,
        count(*) FILTER (WHERE is_folder) AS folders, count(*) FILTER (WHERE NOT is_folder) AS files
    FROM billing_rebuilt_node
),
trash AS (SELECT coalesce(sum(size_bytes), 0) AS bytes FROM trashed)
INSERT INTO billing_usage_gauge (metric, amount)
SELECT gauge.metric, gauge.amount FROM total, trash, LATERAL (VALUES
    ('live_bytes', total.bytes - trash.bytes), ('trash_bytes', trash.bytes),
    ('file_count', total.files), ('folder_count', total.folders), ('version_count', total.versions)
) AS gauge(metric, amount)
ON CONFLICT (metric) DO UPDATE SET amount = excluded.amount
"""

RECOUNT_ROOTS = """
WITH RECURSIVE below AS (
    SELECT node_id AS root_id, node_id, size_bytes FROM billing_rebuilt_node WHERE parent_id IS NULL AND NOT is_trashed
    UNION ALL
    SELECT below.root_id, child.node_id, child.size_bytes
    FROM below JOIN billing_metered_node child ON child.parent_id = below.node_id
)
INSERT INTO billing_root_usage (root_id, used_bytes) SELECT root_id, sum(size_bytes) FROM below GROUP BY root_id
"""
