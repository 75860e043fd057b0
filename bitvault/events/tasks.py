"""Celery tasks of the stream: the relay, the consumers' call, the keeping of partitions.

Each has a lane, with workers of its own where something that hangs must not hold up the rest: the relay, the consumers, and what may take
minutes. An event that takes too long costs the consumers' lane some seconds of one process, and is tried again in the lane ``patient``.
"""

import time
from datetime import timedelta
from typing import Any

from celery import current_app, shared_task
from kombu.exceptions import ChannelError

from bitvault.events import consuming, nudges, operating, partitions
from bitvault.events import relay as relays
from bitvault.kernel import tenancy
from bitvault.kernel.tasks import for_tenant

TURN_SECONDS = 1.0
"""How long one consumer reads in one tenant's stream before others get the worker: a long backlog delays them by this much."""

CONSUME_SECONDS = 15
"""Time limit of a call. It is less than the database's limit for idle transactions: after that, another process would take the same event
and hang too."""

PATIENT_SECONDS = 360
"""Time limit of an effect in the lane ``patient``: longer than the longest statement timeout of any effect."""

KILLED_AFTER_SECONDS = 10
"""Time between the soft limit and the kill: enough to record that the event failed."""


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


@shared_task(  # type: ignore[untyped-decorator] # celery has no types
    name=relays.CONSUME_TASK, soft_time_limit=CONSUME_SECONDS, time_limit=CONSUME_SECONDS + KILLED_AFTER_SECONDS
)
def consume(consumer: str) -> int:
    """Bring one consumer up to the head of one tenant's stream."""
    # Before reading: a commit from here on sends another message, so none falls between the last read and the end of this task.
    nudges.admit(consumer, tenancy.current().id)
    deadline = time.monotonic() + TURN_SECONDS
    try:
        count = consuming.consume(consumer, deadline=deadline)
    except consuming.TookTooLong:
        _hand_over(consume_patiently, consumer, within=timedelta(seconds=PATIENT_SECONDS))
        return 0
    except consuming.Gap:
        consuming.postpone(consumer, wait=operating.REBUILD_PAUSE)
        _hand_over(close_gap, consumer, within=operating.REBUILD_PAUSE)
        return 0
    if time.monotonic() >= deadline:
        # There may be more, and others have waited: behind them it goes on.
        nudges.call_consumers(tenancy.current().id, [consumer], behind_all=True)
    return count


def _hand_over(task: Any, consumer: str, *, within: timedelta) -> None:
    """Hand over to a task that has more time. When its message is lost or not taken, the next run of the relay sends another."""
    task.apply_async([consumer], headers=for_tenant(tenancy.current().id), expires=within.total_seconds())


@shared_task(  # type: ignore[untyped-decorator] # celery has no types
    name="events.consume_patiently",
    soft_time_limit=PATIENT_SECONDS,
    time_limit=PATIENT_SECONDS + KILLED_AFTER_SECONDS,
)
def consume_patiently(consumer: str) -> int:
    """Try an event again that had too little time, and go on for as long as others wait at most."""
    try:
        return consuming.consume(consumer, deadline=time.monotonic() + CONSUME_SECONDS, at_once=True)
    except (consuming.TookTooLong, consuming.Gap):
        return 0  # accounted for; the relay calls again


@shared_task(name="events.close_gap")  # type: ignore[untyped-decorator] # celery has no types
def close_gap(consumer: str) -> int:
    """Rebuild a consumer whose next events are dropped already, if that was not done meanwhile."""
    try:
        return consuming.consume(consumer, deadline=time.monotonic() + TURN_SECONDS, at_once=True)
    except consuming.Gap:
        operating.close_gap(consumer=consumer)
        return 0  # the relay calls again for what came meanwhile


@shared_task(name="events.keep_partitions", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def keep_partitions() -> dict[str, list[str]]:
    """Make the partitions of the next days and drop those that nobody needs any more."""
    return {"made": partitions.make_ahead(), "dropped": partitions.drop_old()}
