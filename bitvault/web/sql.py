"""The statement of kept answers that the ORM cannot say: an insert that tells whether another was first."""

# Two with one key wait for each other here; `bulk_create` that ignores conflicts does not tell who lost.
KEEP = """
INSERT INTO web_idempotency_key (user_id, key, fingerprint, answer, created_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (user_id, key) DO NOTHING
"""
