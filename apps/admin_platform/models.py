"""Tables of administration: the audit log of a tenant, append-only and chained by hash."""

from django.db import models

from bitvault.kernel.models import TenantModel


class AuditHead(TenantModel):
    """The last number and hash of the chain: one row, locked last by whoever appends."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "admin_platform_audit_head"


class AuditEntry(TenantModel):
    """Something that happened, or was denied. The tenant's role may not change or delete it, and a trigger refuses who could."""

    append_only = True

    number = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(null=True, unique=True)
    """The event's number in the stream; empty for what is written directly (denied accesses, failed sign-ins)."""
    event_id = models.UUIDField()
    type = models.TextField()
    occurred_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    node_id = models.UUIDField(null=True)
    address = models.TextField(blank=True)
    device_id = models.UUIDField(null=True)
    request_id = models.TextField(blank=True)
    payload = models.JSONField()
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "admin_platform_audit_entry"
        indexes = [
            # What did this person do?
            models.Index(fields=["actor_id", "-number"], name="admin_platform_audit_actor"),
            # What happened to this node?
            models.Index(fields=["node_id", "-number"], name="admin_platform_audit_node"),
            # Where has this kind of thing happened?
            models.Index(fields=["type", "-number"], name="admin_platform_audit_type"),
            # What was done from this address?
            models.Index(fields=["address", "-number"], name="admin_platform_audit_address"),
            # What happened between two moments?
            models.Index(fields=["occurred_at"], name="admin_platform_audit_time"),
        ]
