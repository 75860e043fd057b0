"""Hints: words to somebody else after a commit, said by a thread of their own, since nobody who commits needs to wait for them.

Many commits in a row are few hints: what is remembered twice before the thread comes to it is said once.
"""

import os
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.16
"""Between two rounds. It doubles as long as hints come faster than that, so that a rush is worked off in batches, and is the least again
once they do not: a hint that comes alone is said at once."""


class Hinter(Generic[T]):
    """Remembers what is to be said, and says it soon.

    :param name: of the thread.
    :param say: says one hint; it must not raise.
    """

    def __init__(self, name: str, say: Callable[[T], None]) -> None:
        self._name, self._say = name, say
        self._remembered: set[T] = set()
        self._bell = threading.Condition()
        self._thread: threading.Thread | None = None
        # Threads stay behind when a process forks.
        os.register_at_fork(after_in_child=self._begin_anew)

    def remember(self, hint: T) -> None:
        """Have a hint said soon; the first time, the thread is started."""
        with self._bell:
            self._remembered.add(hint)
            if self._thread is None:
                self._thread = threading.Thread(target=self._say_for_ever, name=self._name, daemon=True)
                self._thread.start()
            self._bell.notify()

    def _begin_anew(self) -> None:
        self._remembered, self._bell, self._thread = set(), threading.Condition(), None

    def _say_for_ever(self) -> None:
        pause = LEAST_PAUSE_SECONDS
        while True:
            for hint in self._take():
                self._say(hint)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS) if self._remembered else LEAST_PAUSE_SECONDS

    def _take(self) -> set[T]:
        with self._bell:
            self._bell.wait_for(lambda: self._remembered)
            taken, self._remembered = self._remembered, set()
            return taken
