"""Celery tasks of the stream: the relay, the consumers' call, the keeping of partitions."""

from celery import current_app, shared_task

from bitvault.events import consuming, nudges, partitions
from bitvault.events import relay as relays
from bitvault.kernel import tenancy


@shared_task(name="events.relay", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def relay() -> int:
    """Call every consumer that lags in some tenant; beat sends this each second."""
    return relays.relay(current_app.send_task)


@shared_task(name=relays.CONSUME_TASK)  # type: ignore[untyped-decorator] # celery has no types
def consume(consumer: str) -> int:
    """Bring one consumer up to the head of one tenant's stream."""
    # Before reading: a commit from here on sends another message, so none falls between the last read and the end of this task.
    nudges.admit(consumer, tenancy.current().id)
    return consuming.consume(consumer)


@shared_task(name="events.keep_partitions", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def keep_partitions() -> dict[str, list[str]]:
    """Make the partitions of the next days and drop those that nobody needs any more."""
    return {"made": partitions.make_ahead(), "dropped": partitions.drop_old()}
