"""Celery tasks of deferred work: the workers' call for each lane, the look at all lanes, the sweep of finished jobs."""

import time
from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_shutting_down
from kombu.exceptions import ChannelError

from bitvault.jobs import calling, kinds, leasing, running

CALLS_LIMIT = 20
"""Messages for one lane that wait at a time: as many processes as work in one lane, at most."""


# Messages say nothing that the table does not: one that is lost with its worker is not missed, and one for work of hours must not be
# handed out again meanwhile.
@shared_task(name=calling.WORK_TASK, tenant_required=False, acks_late=False)  # type: ignore[untyped-decorator] # celery has no types
def work(lane: str) -> int:
    """Do jobs of one lane, each tenant in turn; returns how many."""
    calling.admit(lane)
    deadline, count = time.monotonic() + calling.TURN_SECONDS, 0
    while not running.stopping.is_set() and running.run_next(lane):
        count += 1
        if time.monotonic() >= deadline:
            # There may be more, and messages of other lanes have waited.
            calling.nudge(lane)
            break
    return count


@shared_task(name="jobs.dispatch", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def dispatch() -> int:
    """Take jobs from workers that have died, and call the lanes that have something to do; beat sends this each second."""
    leasing.rescue()
    count = 0
    for lane in kinds.list_lanes():
        due = leasing.count_due(lane, CALLS_LIMIT)
        for _ in range(max(0, due - _count_waiting(lane)) if due else 0):
            calling.call(lane)
            count += 1
    return count


@shared_task(name="jobs.sweep", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def sweep() -> int:
    """Delete finished jobs past their time; returns how many."""
    return leasing.sweep()


def _count_waiting(queue: str) -> int:
    with current_app.pool.acquire(block=True) as connection:
        try:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:
            return 0  # a queue without messages is not there


@worker_shutting_down.connect  # type: ignore[untyped-decorator] # celery has no types
def stop_at_the_next_report(**_: Any) -> None:
    """Let a job that runs in this very process go back into its lane."""
    running.stopping.set()
