"""A memory of this process for answers that may be a little old: saves the query that every request would repeat."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LIFETIME_SECONDS = 0.8
"""What is taken away (token, membership, permission) must stop working within a second in every process, with room for a slow request."""

_SIZE_LIMIT = 10_000
"""Entries; full, it is emptied: a busy process fills it again for one query each, and nobody can grow it."""


class Remembered(Generic[K, V]):
    """Answers by key, each for ``LIFETIME_SECONDS``. Only answers that exist are kept: what is made works at once."""

    def __init__(self) -> None:
        self._entries: dict[K, tuple[float, V]] = {}

    def get(self, key: K, ask: Callable[[], V | None]) -> V | None:
        """Give the remembered answer, or ask and remember."""
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is not None and now - entry[0] < LIFETIME_SECONDS:
            return entry[1]
        answer = ask()
        if answer is not None:
            if len(self._entries) >= _SIZE_LIMIT:
                self._entries.clear()
            # The moment before asking: the answer may be as old as that.
            self._entries[key] = (now, answer)
        return answer

    def forget(self) -> None:
        """Forget everything: something was taken away in this process."""
        self._entries.clear()
