"""Tables of webhooks (in each tenant's schema). What is to be sent is no row: each webhook has its position in the stream."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class Webhook(TenantModel):
    """Where events are sent, which ones, and how far that has come."""

    id = id_field()
    url = models.TextField()
    events = ArrayField(models.CharField(max_length=80))
    """Patterns of types: ``files.*``."""
    folder_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    description = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=12, default="standard")
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=20, blank=True)
    disabled_at = models.DateTimeField(null=True)
    secret = models.TextField()
    """Sealed."""
    previous_secret = models.TextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    round = models.BigIntegerField(default=0)
    """Raised by every change: a job of an earlier round ends without an effect on the position."""
    position = models.BigIntegerField()
    """Up to which number of the stream everything was sent, given up, or passed over as none of its events."""
    wanted_seq = models.BigIntegerField(default=0)
    """The last number at which something may concern it: while it is above the position, a job has work to do."""
    sent_seq = models.BigIntegerField(null=True)
    """The event before the next one, as receivers are told; empty at the beginning, and where a replay or a change begins anew."""
    try_count = models.PositiveSmallIntegerField(default=0)
    """Tries of the next event that have failed."""
    failing_since = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "webhooks_webhook"


class Delivery(TenantModel):
    """A message that was sent, or whose tries go on: what administrators look up. Kept for a month."""

    id = id_field()
    webhook_id = models.UUIDField()
    message_id = models.CharField(max_length=60)
    kind = models.CharField(max_length=12)
    state = models.CharField(max_length=10)
    event_type = models.CharField(max_length=80)
    seq = models.BigIntegerField(null=True)
    prev_seq = models.BigIntegerField(null=True)
    body = models.TextField()
    tries = models.JSONField(default=list)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "webhooks_delivery"
        indexes = [
            # What was sent to this receiver, newest first? And which is the one whose tries go on?
            models.Index(fields=["webhook_id", "-id"], name="webhooks_delivery_log"),
            models.Index(
                fields=["webhook_id", "seq"], name="webhooks_delivery_pending", condition=models.Q(state="pending")
            ),
        ]
