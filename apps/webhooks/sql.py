"""The statement of webhooks that the ORM cannot say: many rows, each with a number of its own, and what they had."""

# Each writer's transaction waits for this one, whatever number of receivers an installation has: one statement locks and tells them.
WANT = """
UPDATE webhooks_webhook SET wanted_seq = greatest(wanted_seq, wanted.seq)
FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (id, seq)
WHERE webhooks_webhook.id = wanted.id AND is_enabled
RETURNING webhooks_webhook.id, round
"""
