"""Outages: a service that stopped answering is left alone by everybody, and one thread asks until it answers again.

A circuit breaker without half-open calls: no request is spent on finding out whether the service is back.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable

import structlog

from bitvault.kernel.dependencies import REFUSED

logger = structlog.get_logger(__name__)


class Outage:
    """Whether this process takes one service to be down.

    :param probe: asks the service, with a deadline of its own; raises one of ``failures`` when it does not answer.
    :param rest_seconds: between two questions while the service is down.
    """

    def __init__(
        self,
        name: str,
        *,
        probe: Callable[[], object],
        failures: tuple[type[Exception], ...],
        rest_seconds: float = 0.5,
    ) -> None:
        self.name = name
        self.is_down = False
        self.answered_at = time.monotonic()
        """When the service was last known to answer, by the monotonic clock."""
        self.retry_after_seconds = 2
        self._probe = probe
        self._failures = failures
        self._rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        _all.add(self)

    @property
    def is_asked(self) -> bool:
        """Whether the service is being asked now."""
        return self._thread is not None

    def suspect(self) -> None:
        """Have the service asked, unless it is being asked; it is down if it does not answer."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._ask_until_answered, name=f"{self.name}-probe", daemon=True)
                self._thread.start()

    def begin(self) -> None:
        """Take the service to be down until it answers a question."""
        if not self.is_down:
            logger.warning("dependency_down", dependency=self.name)
        self.is_down = True
        self.suspect()

    def count_refusal(self) -> None:
        """Count a call that was refused because the service is down."""
        REFUSED.labels(self.name, "down").inc()

    def _ask_until_answered(self) -> None:
        while True:
            while not self._ask():
                time.sleep(self._rest_seconds)
            with self._lock:
                # It may have begun again meanwhile: whoever noticed has seen this thread, and left the asking to it.
                if not self.is_down:
                    self._thread = None
                    return

    def _ask(self) -> bool:
        began = time.monotonic()
        try:
            self._probe()
        except self._failures:
            if not self.is_down:
                if self.answered_at > began:
                    # Somebody was answered meanwhile: the machine is slow, and the service is not down.
                    return True
                logger.warning("dependency_down", dependency=self.name)
            self.is_down = True
            return False
        except Exception as error:  # noqa: BLE001 - a refusal is an answer, and calls find out by themselves what it says
            logger.info("dependency_refused_probe", dependency=self.name, error=type(error).__name__)
        if self.is_down:
            logger.warning("dependency_up", dependency=self.name)
        self.answered_at = time.monotonic()
        self.is_down = False
        return True

    def _begin_anew(self) -> None:
        self.is_down = False
        self._lock = threading.Lock()
        self._thread = None


_all: "weakref.WeakSet[Outage]" = weakref.WeakSet()


def _forget_threads() -> None:
    """Start without threads in a forked process: they stay behind."""
    for outage in _all:
        outage._begin_anew()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_forget_threads)
