"""What must be true of a tenant once every consumer has read the whole stream, asked of the tables by other code than what fills them.

Each check lists violations; the tests of the stream and the soak run the same ones.
"""

from typing import Any
from uuid import UUID

import psycopg

DENSE = """
SELECT 'the stream holds ' || count(*) || ' events from ' || min(seq) || ' to ' || max(seq) || ', its head says ' || head.last_seq
FROM public.events_stream_event event JOIN public.events_stream_head head USING (tenant_id)
WHERE tenant_id = %(tenant_id)s GROUP BY head.last_seq
HAVING min(seq) <> 1 OR max(seq) <> count(*) OR max(seq) <> head.last_seq
"""

COMMIT_ORDER = """
SELECT 'event ' || seq || ' was published before the one that it follows' FROM (
    SELECT seq, published_at, lag(published_at) OVER (ORDER BY seq) AS before
    FROM public.events_stream_event WHERE tenant_id = %(tenant_id)s
) told WHERE published_at < before
"""

LAG = """
SELECT 'consumer ' || consumer || ' stands at ' || seq || ' of ' || last_seq || ': ' || last_error
FROM public.events_consumer_cursor JOIN public.events_stream_head USING (tenant_id)
WHERE tenant_id = %(tenant_id)s AND seq <> last_seq
"""

DEAD_LETTERS = """
SELECT 'consumer ' || consumer || ' gave up on ' || type || ' ' || seq || ': ' || error
FROM public.events_dead_letter WHERE tenant_id = %(tenant_id)s AND state = 'dead'
"""

AUDIT = """
SELECT 'audit and stream differ at event ' || coalesce(event.seq, entry.seq)
FROM (SELECT * FROM public.events_stream_event WHERE tenant_id = %(tenant_id)s) event
FULL JOIN (SELECT * FROM {schema}.admin_platform_audit_entry WHERE seq IS NOT NULL) entry ON entry.seq = event.seq
WHERE entry.event_id IS DISTINCT FROM event.id OR entry.type IS DISTINCT FROM event.type
"""

AUDIT_ORDER = """
SELECT 'audit entry ' || number || ' is out of the order of the stream' FROM (
    SELECT number, seq, lag(seq) OVER (ORDER BY number) AS before FROM {schema}.admin_platform_audit_entry WHERE seq IS NOT NULL
) entry WHERE seq <= before
"""

METER = """
WITH RECURSIVE trashed AS (
    SELECT id FROM {schema}.files_node WHERE trashed_at IS NOT NULL
    UNION ALL SELECT child.id FROM trashed JOIN {schema}.files_node child ON child.parent_id = trashed.id
),
counted (metric, amount) AS (
    SELECT 'live_bytes', coalesce(sum(size_bytes), 0) FROM {schema}.files_version WHERE node_id NOT IN (SELECT id FROM trashed)
    UNION ALL SELECT 'trash_bytes', coalesce(sum(size_bytes), 0) FROM {schema}.files_version WHERE node_id IN (SELECT id FROM trashed)
    UNION ALL SELECT 'version_count', count(*) FROM {schema}.files_version
    UNION ALL SELECT 'file_count', count(*) FROM {schema}.files_node WHERE kind = 1
    UNION ALL SELECT 'folder_count', count(*) FROM {schema}.files_node WHERE kind = 0
    UNION ALL SELECT 'uploads_committed_count', count(*) FROM public.events_stream_event
        WHERE tenant_id = %(tenant_id)s AND type = 'files.version.committed.v1'
),
measured AS (
    SELECT metric, amount FROM {schema}.billing_usage_gauge
    UNION ALL SELECT metric, sum(amount) FROM {schema}.billing_usage_day WHERE metric = 'uploads_committed_count' GROUP BY metric
)
SELECT 'the meter says ' || coalesce(measured.amount, 0) || ' ' || counted.metric || ', a recount ' || counted.amount
FROM counted LEFT JOIN measured USING (metric) WHERE counted.amount <> coalesce(measured.amount, 0)
"""

REFERENCES = """
SELECT 'reference of version ' || coalesce(version.id, reference.version_id) || ' is missing, or too many, or to another blob'
FROM {schema}.files_version version
FULL JOIN {schema}.storage_blob_reference reference ON reference.version_id = version.id
WHERE version.blob_id IS DISTINCT FROM reference.blob_id
"""

REPLICA = """
SELECT 'the replica of node ' || coalesce(node.id, replica.node_id) || ' is not as the node'
FROM {schema}.files_node node FULL JOIN {schema}.sync_node replica ON replica.node_id = node.id
WHERE (node.parent_id, node.name, node.revision, node.version_id, node.kind = 0, node.trashed_at IS NOT NULL)
    IS DISTINCT FROM (replica.parent_id, replica.name, replica.revision, replica.version_id, replica.is_folder, replica.is_trashed)
"""

FEED = """
SELECT 'the feed stands at ' || feed.seq || ' of ' || head.last_seq
FROM {schema}.sync_feed feed, public.events_stream_head head WHERE head.tenant_id = %(tenant_id)s AND feed.seq <> head.last_seq
"""

JOURNAL = """
SELECT 'event ' || event.seq || ' (' || type || ') has no row in the journal'
FROM public.events_stream_event event, {schema}.sync_feed feed
WHERE tenant_id = %(tenant_id)s AND event.seq > feed.horizon
    AND type IN ('files.folder.created.v1', 'files.version.committed.v1', 'files.node.moved.v1', 'files.node.trashed.v1')
    AND NOT EXISTS (SELECT FROM {schema}.sync_change_journal journal WHERE journal.seq = event.seq)
"""

CHECKS = {
    "numbers of the stream": DENSE,
    "order of the stream": COMMIT_ORDER,
    "lags": LAG,
    "dead letters": DEAD_LETTERS,
    "audit: once each": AUDIT,
    "audit: order": AUDIT_ORDER,
    "meter": METER,
    "references": REFERENCES,
    "replica": REPLICA,
    "feed": FEED,
    "journal": JOURNAL,
}

SHOWN = 5
"""Violations of one check that are told."""


def violations(
    database: psycopg.Connection[Any],
    tenant_id: UUID,
    *,
    checks: dict[str, str] = CHECKS,
    leave_out: tuple[str, ...] = (),
) -> list[str]:
    """Run the checks on one tenant; lists what is wrong."""
    found = []
    for name, statement in checks.items():
        if name in leave_out:
            continue
        text = statement.format(schema=f"t_{tenant_id.hex}")
        rows = database.execute(text, {"tenant_id": tenant_id}).fetchmany(SHOWN)
        found += [f"{name}: {row[0]}" for row in rows]
    return found
