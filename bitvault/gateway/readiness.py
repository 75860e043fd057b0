"""Whether everything answers that requests need: asked side by side, at most once a second whatever callers do, and never for long.

One round of questions serves all who ask meanwhile, and its result stands for a second. Each check runs in a thread of its own; one that
has not ended in time counts as failed, and is not begun again before it has, so that a service that hangs holds one thread.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

V = TypeVar("V")

Findings = Mapping[str, bool | None]
"""By the name of each thing: whether it is as it should be, or None where nobody knows, which is nobody's fault."""

KEEP_SECONDS = 1.0
DEADLINE_SECONDS = 2.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check(Generic[V]):
    """One question.

    :param ask: finds out; any exception means failure.
    :param failed: what is said of the same names when it fails or does not end.
    """

    ask: Callable[[], Mapping[str, V]]
    failed: Mapping[str, V]


class Readiness(Generic[V]):
    """The findings of some checks, kept for a moment."""

    def __init__(
        self,
        checks: Sequence[Check[V]],
        *,
        keep_seconds: float = KEEP_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._checks = checks
        self._keep_seconds = keep_seconds
        self._deadline_seconds = deadline_seconds
        self._lock = threading.Lock()
        self._asked: dict[int, Future[Mapping[str, V]]] = {}
        self._round: Future[Mapping[str, V]] | None = None
        self._ended_at = 0.0
        self.latest: Mapping[str, V] | None = None
        """What the last round found, however long ago."""

    def start(self) -> "Future[Mapping[str, V]]":
        """Give the round of questions that is under way or has just ended, else begin one; it ends soon after the deadline."""
        with self._lock:
            current = self._round
            if current is not None and (not current.done() or time.monotonic() - self._ended_at < self._keep_seconds):
                return current
            self._round = Future()
            # So that no caller who goes away can cancel what others wait for.
            self._round.set_running_or_notify_cancel()
            threading.Thread(target=self._run, args=(self._round,), name="readiness", daemon=True).start()
            return self._round

    def _run(self, current: "Future[Mapping[str, V]]") -> None:
        try:
            findings = self._gather()
        except BaseException as error:
            current.set_exception(error)
            raise
        self.latest, self._ended_at = findings, time.monotonic()
        current.set_result(findings)

    def _gather(self) -> Mapping[str, V]:
        begun = {}
        for number, check in enumerate(self._checks):
            earlier = self._asked.get(number)
            if earlier is None or earlier.done():
                begun[number] = self._asked[number] = Future()
                threading.Thread(
                    target=_answer, args=(check, begun[number]), name=f"readiness-{number}", daemon=True
                ).start()
        wait(begun.values(), timeout=self._deadline_seconds)
        found: dict[str, V] = {}
        for number, check in enumerate(self._checks):
            answer = begun.get(number)
            found.update(answer.result() if answer is not None and answer.done() else check.failed)
        return found


def _answer(check: Check[V], future: "Future[Mapping[str, V]]") -> None:
    try:
        findings = check.ask()
    except Exception as error:  # noqa: BLE001 - what cannot be asked is not ready
        logger.warning("not_ready", checks=[*check.failed], error=type(error).__name__)
        findings = check.failed
    future.set_result(findings)
