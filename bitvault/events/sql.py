"""Statements that are hand-written: every write ends with one of them, and each worker runs four of them for each batch of events."""

# --- publishing ------------------------------------------------------------------------------------------------------------------

# The number is taken and the events are written in the last round trip before the commit, while everybody else waits for the number.
PUBLISH = """
WITH head AS (
    UPDATE public.events_stream_head SET last_seq = last_seq + %(count)s
    WHERE tenant_id = %(tenant_id)s RETURNING last_seq
)
INSERT INTO public.events_stream_event (tenant_id, seq, published_at, id, type, occurred_at, actor_id, request_id,
    address, device_id, token_id, payload)
SELECT %(tenant_id)s, head.last_seq - %(count)s + e.n, clock_timestamp(),
    e.id, e.type, %(occurred_at)s, e.actor_id, %(request_id)s, %(address)s, %(device_id)s, %(token_id)s, e.payload::jsonb
FROM unnest(%(ids)s::uuid[], %(types)s::text[], %(actor_ids)s::uuid[], %(payloads)s::text[])
    WITH ORDINALITY AS e(id, type, actor_id, payload, n)
    LEFT JOIN head ON true  -- without a head there is no number, and the insert fails with all that led to it
ORDER BY e.n
RETURNING seq
"""

# --- consuming -------------------------------------------------------------------------------------------------------------------

# One statement is the whole transaction, in one round trip (`run_last`).
BEGIN_TRY = """
UPDATE public.events_consumer_cursor SET
    try_count = try_count + 1,
    careful_until_seq = CASE WHEN try_count >= %(deaths)s AND failing_seq IS NULL THEN greatest(careful_until_seq, seq + %(batch)s)
                             ELSE careful_until_seq END
WHERE (consumer, tenant_id) IN (
    SELECT consumer, tenant_id FROM public.events_consumer_cursor
    WHERE consumer = %(consumer)s AND tenant_id = %(tenant_id)s AND (%(at_once)s OR retry_at IS NULL OR retry_at <= %(now)s)
      AND NOT EXISTS (SELECT FROM public.events_paused_consumer paused WHERE paused.consumer = %(consumer)s)
    FOR UPDATE SKIP LOCKED
)
RETURNING seq, try_count, last_error
"""

# The head is read before the events are, so whatever is not found up to it is not there.
LOCK_CURSOR = """
SELECT seq, published_at, failing_seq, careful_until_seq,
    coalesce((SELECT last_seq FROM public.events_stream_head head WHERE head.tenant_id = cursor.tenant_id), 0)
FROM public.events_consumer_cursor cursor
WHERE consumer = %s AND tenant_id = %s FOR UPDATE SKIP LOCKED
"""

# A statement whose worker was killed, or had no time any more, would go on and keep the cursor locked until its own limit.
END_WITH_US = "SET LOCAL client_connection_check_interval = '1s'"

# Two hundred rows a batch, as tuples, with their payload as it is stored: a model's instance for each took three times as long.
NEXT_EVENTS = """
SELECT published_at, tenant_id, seq, id, type, occurred_at, actor_id, request_id, address, device_id, payload::text, token_id
FROM public.events_stream_event
WHERE tenant_id = %s AND seq > %s AND published_at >= %s
ORDER BY seq LIMIT %s
"""

MOVE_CURSOR = """
UPDATE public.events_consumer_cursor
SET seq = %(seq)s, published_at = %(published_at)s, try_count = 0, retry_at = NULL,
    failing_seq = CASE WHEN failing_seq > %(seq)s THEN failing_seq END,
    last_error = CASE WHEN failing_seq > %(seq)s THEN last_error ELSE '' END
WHERE consumer = %(consumer)s AND tenant_id = %(tenant_id)s
"""

# --- who lags: each second over all cursors of all tenants, joined with the heads of their streams, which no foreign key names --------

LAGGING = """
SELECT cursor.consumer, cursor.tenant_id
FROM public.events_consumer_cursor cursor JOIN public.events_stream_head head USING (tenant_id)
WHERE cursor.seq < head.last_seq AND (cursor.retry_at IS NULL OR cursor.retry_at <= %s)
  AND NOT EXISTS (SELECT FROM public.events_paused_consumer paused WHERE paused.consumer = cursor.consumer)
ORDER BY head.last_seq - cursor.seq
"""

LAGS = """
SELECT cursor.consumer, cursor.tenant_id, head.last_seq, cursor.seq, cursor.last_error, cursor.retry_at, cursor.try_count,
    (SELECT event.published_at FROM public.events_stream_event event
     WHERE event.tenant_id = cursor.tenant_id AND event.seq > cursor.seq AND event.published_at >= cursor.published_at - interval '1 day'
     ORDER BY event.seq LIMIT 1) AS waiting_since,
    (SELECT count(*) FROM public.events_dead_letter letter
     WHERE letter.consumer = cursor.consumer AND letter.tenant_id = cursor.tenant_id AND letter.state = 'dead') AS dead_letter_count,
    cursor.tenant_id = ANY(%(suspended)s::uuid[]) AS is_suspended,
    coalesce(cursor.rebuilt_until > clock_timestamp(), false), cursor.rebuild_error, cursor.shape
FROM public.events_consumer_cursor cursor JOIN public.events_stream_head head USING (tenant_id)
WHERE %(among)s::uuid[] IS NULL OR cursor.tenant_id = ANY(%(among)s::uuid[])
ORDER BY is_suspended, head.last_seq - cursor.seq DESC, cursor.consumer, cursor.tenant_id
OFFSET %(offset)s LIMIT %(limit)s
"""

# Rows for those that lag, which in an installation that keeps up are few: whose tenant is suspended is not known here.
BACKLOGS = """
SELECT cursor.consumer, cursor.tenant_id, head.last_seq - cursor.seq,
    (SELECT event.published_at FROM public.events_stream_event event
     WHERE event.tenant_id = cursor.tenant_id AND event.seq > cursor.seq AND event.published_at >= cursor.published_at - interval '1 day'
     ORDER BY event.seq LIMIT 1)
FROM public.events_consumer_cursor cursor JOIN public.events_stream_head head USING (tenant_id)
WHERE cursor.seq < head.last_seq
"""

# It reads from the stream's first day on: a cursor's `published_at` hides what is older than itself.
ENSURE_CURSORS = """
INSERT INTO public.events_consumer_cursor
    (consumer, tenant_id, seq, published_at, try_count, careful_until_seq, last_error, shape)
SELECT known.name, head.tenant_id, 0, 'epoch', 0, 0, '', known.shape
FROM public.events_stream_head head, unnest(%s::text[], %s::int[]) AS known(name, shape)
ON CONFLICT DO NOTHING
"""

# --- turns: written if nobody else has, by the clock of the database ----------------------------------------------------------------

TAKE_TURN = """
INSERT INTO public.events_heartbeat (name, beaten_at) VALUES (%(name)s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET beaten_at = clock_timestamp()
WHERE abs(extract(epoch FROM clock_timestamp() - events_heartbeat.beaten_at)) >= %(seconds)s
"""

HOLD = """
INSERT INTO public.events_heartbeat (name, beaten_at, holder) VALUES (%(name)s, clock_timestamp(), %(holder)s)
ON CONFLICT (name) DO UPDATE SET beaten_at = clock_timestamp(), holder = excluded.holder
WHERE events_heartbeat.holder IS NULL OR events_heartbeat.holder = excluded.holder
   OR abs(extract(epoch FROM clock_timestamp() - events_heartbeat.beaten_at)) >= %(seconds)s
"""

# --- partitions, which are tables that no model names -------------------------------------------------------------------------------

PARTITIONS = """
SELECT child.relname FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
WHERE parent.relname = 'events_stream_event' AND child.relname ~ '^events_stream_event_[0-9]{8}$'
ORDER BY child.relname
"""

# Twice: the bulk while everybody goes on, and what came meanwhile under the lock.
TAKE_OVER = """
INSERT INTO {day} SELECT * FROM events_stream_event_default WHERE published_at >= %s AND published_at < %s
ORDER BY tenant_id, seq ON CONFLICT DO NOTHING
"""

# From a day that is no partition any more; its rows find their way into the default one.
CARRY_OVER = """
INSERT INTO events_stream_event
SELECT event.* FROM {day} event
JOIN (SELECT tenant_id, min(seq) AS seq FROM events_consumer_cursor WHERE tenant_id = ANY(%s) GROUP BY tenant_id) furthest
    ON event.tenant_id = furthest.tenant_id AND event.seq > furthest.seq
ORDER BY event.tenant_id, event.seq
"""

SWEEP_DEFAULT = """
DELETE FROM events_stream_event_default event
WHERE event.published_at < %s
  AND NOT EXISTS (SELECT FROM events_consumer_cursor cursor WHERE cursor.tenant_id = event.tenant_id AND cursor.seq < event.seq)
"""
