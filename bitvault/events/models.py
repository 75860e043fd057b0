"""Tables of the event stream (schema ``public``)."""

from django.db import models

from bitvault.kernel.models import PublicModel


class StreamHead(PublicModel):
    """How far the stream of a tenant has come. Its row is locked last in a transaction, so numbers follow commits."""

    tenant_id = models.UUIDField(primary_key=True)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "events_stream_head"


class StreamEvent(PublicModel):
    """One event of a tenant's stream; dense in ``seq``."""

    pk = models.CompositePrimaryKey("tenant_id", "seq")
    tenant_id = models.UUIDField()
    seq = models.BigIntegerField()
    id = models.UUIDField()
    type = models.TextField()
    occurred_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    request_id = models.TextField(null=True)  # noqa: DJ001 - absent is not the same as empty
    payload = models.JSONField()

    class Meta:
        db_table = "events_stream_event"
