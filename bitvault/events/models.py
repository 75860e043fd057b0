"""Tables of the event stream (schema ``public``)."""

from django.db import models

from bitvault.kernel.models import PublicModel, id_field


class StreamHead(PublicModel):
    """How far the stream of a tenant has come. Its row is locked last in a transaction, so numbers follow commits."""

    tenant_id = models.UUIDField(primary_key=True)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "events_stream_head"


class StreamEvent(PublicModel):
    """One event of a tenant's stream; dense in ``seq``. Partitioned by day of ``published_at``, so old rows leave as whole tables."""

    pk = models.CompositePrimaryKey("tenant_id", "seq", "published_at")
    tenant_id = models.UUIDField()
    seq = models.BigIntegerField()
    published_at = models.DateTimeField()
    id = models.UUIDField()
    type = models.TextField()
    occurred_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    request_id = models.TextField(null=True)  # noqa: DJ001 - absent is not the same as empty
    address = models.TextField(null=True)  # noqa: DJ001 - the same
    device_id = models.UUIDField(null=True)
    token_id = models.UUIDField(null=True)
    payload = models.JSONField()

    class Meta:
        db_table = "events_stream_event"
        managed = False  # partitioned: made by SQL in the migration


class ConsumerCursor(PublicModel):
    """How far one consumer has come in one tenant's stream. The row is also the consumer's lock there."""

    pk = models.CompositePrimaryKey("consumer", "tenant_id")
    consumer = models.CharField(max_length=40)
    tenant_id = models.UUIDField()
    seq = models.BigIntegerField(default=0)
    """Every event up to this one has had its effect, or lies among the dead letters."""
    published_at = models.DateTimeField()
    """When that event was published: older partitions need not be searched for the next one."""
    try_count = models.PositiveSmallIntegerField(default=0)
    """Tries begun since the cursor last moved, also those whose worker died without a word."""
    failing_seq = models.BigIntegerField(null=True)
    """The event that raised an error last; the events before it are read as a batch, and then this one alone."""
    careful_until_seq = models.BigIntegerField(default=0)
    """Up to here events are tried one by one: some worker died among them, and which event killed it is not known."""
    last_error = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True)
    """Nothing is tried before this moment: the backoff after a failure."""
    rebuild_id = models.UUIDField(null=True)
    """The rebuild that was begun last; an older one must not swap what both have written."""
    rebuilt_until = models.DateTimeField(null=True)
    """That rebuild runs, and has said so for up to this moment of the database's clock; none is begun by itself before."""
    rebuild_error = models.TextField(blank=True, db_default="")
    """Why that rebuild came to no end; empty while it runs and when it has."""
    shape = models.PositiveSmallIntegerField(db_default=0)
    """Of which shape the tables are that the consumer keeps: that of the code that has begun or rebuilt them."""

    class Meta:
        db_table = "events_consumer_cursor"
        indexes = [
            # Which consumers does a tenant's new event concern?
            models.Index(fields=["tenant_id"], name="events_consumer_cursor_tenant"),
        ]


class PausedConsumer(PublicModel):
    """A consumer that operators have stopped, in all tenants: no further batch is begun, and events wait for it."""

    consumer = models.CharField(max_length=40, primary_key=True)
    reason = models.TextField(blank=True)
    paused_at = models.DateTimeField()

    class Meta:
        db_table = "events_paused_consumer"

    def __str__(self) -> str:
        """Name it as the operators' journal does."""
        return f"{self.consumer}: {self.reason}"


class DeadLetter(PublicModel):
    """An event that a consumer gave up on, kept with its error until an operator replays or drops it."""

    class State(models.TextChoices):
        """What became of it."""

        DEAD = "dead", "Waiting"
        REPLAYED = "replayed", "Replayed"
        DROPPED = "dropped", "Dropped"

    id = id_field()
    consumer = models.CharField(max_length=40)
    tenant_id = models.UUIDField()
    seq = models.BigIntegerField()
    type = models.TextField()
    error = models.TextField()
    try_count = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DEAD)
    died_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.UUIDField(null=True)

    class Meta:
        db_table = "events_dead_letter"
        constraints = [
            models.UniqueConstraint(fields=["consumer", "tenant_id", "seq"], name="events_dead_letter_once"),
        ]
        indexes = [
            # The operators' list: what waits, newest first.
            models.Index(fields=["state", "-died_at"], name="events_dead_letter_waiting"),
        ]


class Heartbeat(PublicModel):
    """When a scheduler last ran; its silence is an alarm."""

    name = models.CharField(max_length=40, primary_key=True)
    beaten_at = models.DateTimeField()
    holder = models.UUIDField(null=True)
    """The process that runs it, where there must be one at a time."""

    class Meta:
        db_table = "events_heartbeat"
