"""Celery tasks of the stream: the relay, the consumers' call, the keeping of partitions.

Each has its lane, with workers of its own where an installation is to bear what hangs: the relay, the consumers, and what may take
minutes. An event that does not come to its end soon costs the consumers' lane some seconds of one process, and goes to the patient one.
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
"""How long one consumer may read on in one tenant's stream while others wait for the worker: a long backlog delays them by this much."""

CONSUME_SECONDS = 15
"""How long a call may take beyond its turn when an effect does not end: so long others wait for its process. Less than the database lets a
transaction stand still, after which another process would take the same event and hang as well."""

PATIENT_SECONDS = 360
"""How long an effect may take that had not ended by then: longer than any single statement of one is let run."""

KILLED_AFTER_SECONDS = 10
"""How long after the end of its time a process is killed that took no notice, or is still writing down that the event failed."""


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
        consuming.put_off(consumer, wait=operating.REBUILD_PAUSE)
        _hand_over(close_gap, consumer, within=operating.REBUILD_PAUSE)
        return 0
    if time.monotonic() >= deadline:
        # There may be more, and others have waited: behind them it goes on.
        nudges.call_consumers(tenancy.current().id, [consumer])
    return count


def _hand_over(task: Any, consumer: str, *, within: timedelta) -> None:
    """Let a task go on that has more time. Should its message be lost, or nobody take it, the relay's next call sends another."""
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
