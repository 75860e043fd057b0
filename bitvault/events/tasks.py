"""Celery tasks of the stream: the relay, the consumers' call, the keeping of partitions."""

import time

from celery import current_app, shared_task
from kombu.exceptions import ChannelError

from bitvault.events import consuming, nudges, operating, partitions
from bitvault.events import relay as relays
from bitvault.kernel import tenancy

TURN_SECONDS = 1.0
"""How long one consumer may read on in one tenant's stream while others wait for the worker: a long backlog delays them by this much."""


@shared_task(name="events.relay", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def relay() -> int:
    """Call every consumer that lags in some tenant; beat sends this each second."""
    return relays.relay(current_app.send_task, _count_waiting)


def _count_waiting(queue: str) -> int:
    with current_app.pool.acquire(block=True) as connection:
        try:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:
            return 0  # a queue without messages is not there


@shared_task(name=relays.CONSUME_TASK)  # type: ignore[untyped-decorator] # celery has no types
def consume(consumer: str) -> int:
    """Bring one consumer up to the head of one tenant's stream."""
    # Before reading: a commit from here on sends another message, so none falls between the last read and the end of this task.
    nudges.admit(consumer, tenancy.current().id)
    deadline = time.monotonic() + TURN_SECONDS
    try:
        count = consuming.consume(consumer, deadline=deadline)
    except consuming.Gap:
        operating.close_gap(consumer=consumer)
        return 0  # the relay calls again for what came meanwhile
    if time.monotonic() >= deadline:
        # There may be more, and others have waited: behind them it goes on.
        nudges.call_consumers(tenancy.current().id, [consumer])
    return count


@shared_task(name="events.keep_partitions", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def keep_partitions() -> dict[str, list[str]]:
    """Make the partitions of the next days and drop those that nobody needs any more."""
    return {"made": partitions.make_ahead(), "dropped": partitions.drop_old()}
