"""Nudges: the consumers that somebody waits for are called at once after a commit instead of at the next turn of the relay.

A nudge is a hint and may be lost with the process that owes it; the relay is the promise. While a consumer's message for a tenant
waits to be taken, further commits send no other one: the consumer will read their events too.

The calling is done by a thread of its own, since nobody who commits needs to wait for it, and many commits in a row are few calls: one
by one, each commit cost more in calls and in transactions of consumers than the commit itself.
"""

import os
import threading
import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from celery import current_app
from django.core.cache import cache
from redis.exceptions import RedisError

from bitvault.events import consuming, relay

WAITING_SECONDS = 2
"""How long a message is taken to wait unless its consumer says otherwise; a lost one costs no more than the relay's turn after it."""

LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.16
"""Between two rounds of calls. It doubles as long as commits come faster than that, so that a rush is worked off in batches, and is the
least again once they do not: a commit that comes alone is called for at once."""

logger = structlog.get_logger(__name__)


class _Caller:
    """Remembers whose streams have moved, and calls their consumers."""

    def __init__(self) -> None:
        self._moved: set[tuple[UUID, str | None]] = set()
        self._bell = threading.Condition()
        self._thread: threading.Thread | None = None

    def remember(self, tenant_id: UUID, consumer: str | None) -> None:
        """Have a consumer of a tenant's stream called soon, or all prompt ones; the first time, the thread is started."""
        with self._bell:
            self._moved.add((tenant_id, consumer))
            if self._thread is None:
                self._thread = threading.Thread(target=self._call_for_ever, name="nudges", daemon=True)
                self._thread.start()
            self._bell.notify()

    def _call_for_ever(self) -> None:
        pause = LEAST_PAUSE_SECONDS
        while True:
            for tenant_id, consumer in self._take():
                call_consumers(tenant_id, [consumer] if consumer else consuming.list_prompt_consumers())
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS) if self._moved else LEAST_PAUSE_SECONDS

    def _take(self) -> set[tuple[UUID, str | None]]:
        with self._bell:
            self._bell.wait_for(lambda: self._moved)
            taken, self._moved = self._moved, set()
            return taken


_caller = _Caller()


def _begin_anew() -> None:
    """Start without a thread in a forked process: threads stay behind."""
    global _caller  # noqa: PLW0603 - one for each process
    _caller = _Caller()


os.register_at_fork(after_in_child=_begin_anew)


def nudge(tenant_id: UUID) -> None:
    """Have the prompt consumers of a tenant's stream called that are not called already."""
    _caller.remember(tenant_id, None)


def nudge_one(tenant_id: UUID, consumer: str) -> None:
    """Have one consumer of a tenant's stream called, because somebody waits for it."""
    _caller.remember(tenant_id, consumer)


def call_consumers(tenant_id: UUID, consumers: Iterable[str]) -> None:
    """Call those of the consumers of a tenant's stream that are not called already."""
    waiting = {_key(consumer, tenant_id): consumer for consumer in consumers}
    try:
        for key in cache.claim(waiting, timeout=WAITING_SECONDS):  # type: ignore[attr-defined] # of our own backend
            relay.call(current_app.send_task, waiting[key], tenant_id)
    except Exception as error:  # noqa: BLE001 - a hint that fails must not end the thread that gives all others
        logger.info("nudge_lost", error=type(error).__name__)


def admit(consumer: str, tenant_id: UUID) -> None:
    """Note that a consumer has taken its message and is about to read."""
    try:
        cache.delete(_key(consumer, tenant_id))
    except (RedisError, OSError) as error:
        logger.info("nudge_lost", error=type(error).__name__)


def _key(consumer: str, tenant_id: UUID) -> str:
    return f"{tenant_id.hex}:nudge:{consumer}"
