"""What requests wait for: services and scarce work, each with a bounded share of this process's threads and a circuit breaker.

A web process has a handful of threads. Without a share, whatever stops answering holds all of them, and with them every route that does not
need it. Without a breaker, each request finds out anew that a service is down, and waits a deadline to do so.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from circuitbreaker import STATE_CLOSED, STATE_HALF_OPEN, CircuitBreaker
from prometheus_client import Counter

from bitvault.kernel.errors import Overloaded, ServiceDown

REFUSED = Counter(
    "bitvault_dependency_refused_total", "Calls refused before they waited for a dependency", ["dependency", "reason"]
)

logger = structlog.get_logger(__name__)


class Dependency:
    """One thing that requests wait for.

    :param share: how many threads of this process may wait for it at once.
    :param queue_seconds: how long a call waits for a place in the share; 0 refuses at once. Nobody waits while no place has come free for
        as long: then whoever holds them waits for something that stands still.
    :param queue_length: how many calls may wait for a place at once.
    :param failures: the exceptions that mean the service is down; others pass and count as answers.
    :param failure_count: how many of them in a row open the breaker.
    :param rest_seconds: how long an open breaker refuses before the next calls try the service again.
    """

    def __init__(
        self,
        name: str,
        *,
        share: int,
        queue_seconds: float = 0.0,
        queue_length: int = 1,
        failures: tuple[type[Exception], ...] = (),
        failure_count: int = 2,
        rest_seconds: int = 2,
    ) -> None:
        self.name = name
        self._places = threading.BoundedSemaphore(share)
        self._queue = threading.BoundedSemaphore(queue_length)
        self._queue_seconds = queue_seconds
        self._moved_at = -math.inf
        self._trial = threading.Lock()
        self._rest_seconds = rest_seconds
        self._breaker = CircuitBreaker(
            failure_threshold=failure_count,
            recovery_timeout=rest_seconds,
            expected_exception=failures or (ServiceDown,),
            name=name,
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a place of the share during a call.

        :raises ServiceDown: the breaker is open; ``retry_after_seconds`` says when it lets a call through again.
        :raises Overloaded: all places are taken, and none came free in ``queue_seconds``.
        """
        self._require_closed()
        self._take_place()
        is_trial = False
        try:
            # It may have opened while this call was in the queue.
            self._require_closed()
            is_trial = self._begin_trial()
            with self._breaker:
                yield
        finally:
            if is_trial:
                self._trial.release()
            self._moved_at = time.monotonic()
            self._places.release()

    @property
    def is_down(self) -> bool:
        """Whether calls are refused because the service is known to be down."""
        return bool(self._breaker.opened)

    def reset(self) -> None:
        """Forget past failures."""
        self._breaker.reset()

    def _require_closed(self) -> None:
        if self._breaker.opened:
            self._refuse_as_down(max(1, math.ceil(self._breaker.open_remaining)))

    def _begin_trial(self) -> bool:
        """Let one call at a time find out whether a service is back; returns whether this is such a call."""
        if self._breaker.state != STATE_HALF_OPEN:
            return False
        if not self._trial.acquire(blocking=False):
            self._refuse_as_down(1)
        return True

    def _refuse_as_down(self, retry_after_seconds: int) -> None:
        REFUSED.labels(self.name, "down").inc()
        raise ServiceDown(dependency=self.name, retry_after_seconds=retry_after_seconds)

    def _take_place(self) -> None:
        taken = self._places.acquire(blocking=False)
        if not taken and self._queue_seconds > 0 and self._queue.acquire(blocking=False):
            try:
                taken = self._wait_for_place()
            finally:
                self._queue.release()
        if not taken:
            REFUSED.labels(self.name, "share").inc()
            retry = self._rest_seconds if self._breaker.state != STATE_CLOSED else 1
            raise Overloaded(dependency=self.name, retry_after_seconds=retry)
        self._moved_at = time.monotonic()

    def _wait_for_place(self) -> bool:
        """Wait as long as the queue allows and places come free now and then."""
        now = time.monotonic()
        deadline = now + self._queue_seconds
        while (until := min(deadline, self._moved_at + self._queue_seconds)) > now:
            if self._places.acquire(timeout=until - now):
                return True
            now = time.monotonic()
        return False
