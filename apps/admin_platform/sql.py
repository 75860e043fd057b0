"""Statements of the audit log: each mutation of the product ends in one append."""

# Locks the head, and makes the first one: the ORM needs a statement to look and another to lock.
LOCK_HEAD = """
INSERT INTO admin_platform_audit_head (id, number, hash) VALUES (1, 0, %s)
ON CONFLICT (id) DO UPDATE SET number = admin_platform_audit_head.number
RETURNING number, hash
"""

# One parameter for each column, however many entries: bulk_create sends one for each value.
APPEND = """
INSERT INTO admin_platform_audit_entry
    (number, seq, event_id, type, occurred_at, actor_id, node_id, address, device_id, request_id, payload, previous_hash, hash)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::text[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::text[],
    %s::uuid[], %s::text[], %s::jsonb[], %s::bytea[], %s::bytea[])
"""
