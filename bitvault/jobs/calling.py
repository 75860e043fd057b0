"""Calling workers: a message for a lane says that there is something to do, and nothing else. The table is the truth.

A commit that asks for work nudges its lane, and the scheduler looks at every lane each second. So the broker may lose, duplicate or
reorder messages.
"""

from typing import Any

import structlog
from celery import current_app
from django.core.cache import cache
from redis.exceptions import RedisError

from bitvault.jobs import kinds
from bitvault.kernel.hints import Hinter

WORK_TASK = "jobs.work"

TURN_SECONDS = 10.0
"""How long a worker takes on further jobs of a lane before it looks for other messages."""

MESSAGE_LIFETIME_SECONDS = 30
"""A message that nobody took by then is dropped: another has been sent."""

WAITING_SECONDS = 2
"""How long a nudge is taken to wait unless a worker says otherwise; a lost one costs no more than the next look at the lane."""

GRACE_SECONDS = 60
"""Time between a job's limit and the kill of a process that does not stop by itself."""

logger = structlog.get_logger(__name__)


def call(lane: str) -> None:
    """Send one message to a lane. Its limit is that of the lane's longest job, which itself has one that is shorter."""
    seconds = TURN_SECONDS + kinds.longest_timeout(lane).total_seconds() + GRACE_SECONDS
    send: Any = current_app.send_task
    send(
        WORK_TASK,
        args=[lane],
        queue=lane,
        expires=MESSAGE_LIFETIME_SECONDS,
        ignore_result=True,
        soft_time_limit=seconds - GRACE_SECONDS / 2,
        time_limit=seconds,
    )


def nudge(lane: str) -> None:
    """Have a lane called soon, unless a message for it waits to be taken."""
    _hinter.remember(lane)


def admit(lane: str) -> None:
    """Note that a worker has taken a lane's message and is about to look."""
    try:
        cache.delete(_key(lane))
    except (RedisError, OSError) as error:
        logger.info("nudge_lost", error=type(error).__name__)


def _call_unless_called(lane: str) -> None:
    try:
        if cache.add(_key(lane), 1, timeout=WAITING_SECONDS):
            call(lane)
    except Exception as error:  # noqa: BLE001 - a hint that fails must not end the thread that gives all others
        logger.info("nudge_lost", error=type(error).__name__)


def _key(lane: str) -> str:
    return f"public:jobs:nudge:{lane}"


_hinter = Hinter("job-nudges", _call_unless_called)
