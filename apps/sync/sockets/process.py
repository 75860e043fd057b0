"""What all sockets of this process share: the hub, the threads that ask database and Valkey, and how many sockets anybody holds.

Questions run in a few threads of their own, each in a fresh context that enters its tenant itself: asgiref's shared thread (Channels'
``database_sync_to_async``) would let one slow query hold up every socket, and what one question had entered would be there for the next.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from typing import TypeVar

from django.db import close_old_connections

from apps.sync.sockets import admission
from apps.sync.sockets.admission import Findings, Guest
from apps.sync.sockets.hub import Hub

T = TypeVar("T")

THREADS = 4
"""Questions at once; each keeps a connection to the database. A handshake asks for about a millisecond."""


class Places:
    """Counts what is held by key, up to a limit."""

    def __init__(self) -> None:
        self._held: Counter[Hashable] = Counter()

    @contextmanager
    def held(self, key: Hashable, *, limit: int) -> Iterator[bool]:
        """Hold a place inside the block; false when all are taken."""
        if self._held[key] >= limit:
            yield False
            return
        self._held[key] += 1
        try:
            yield True
        finally:
            self._held[key] -= 1
            if self._held[key] <= 0:
                del self._held[key]


class SocketProcess:
    """All sockets of this process; started and stopped by the server (ASGI's lifespan)."""

    def __init__(self) -> None:
        self.by_address = Places()
        self.by_user = Places()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        """The hub, once it was started."""
        if self._hub is None:
            raise RuntimeError("the sockets were not started: the server must run the lifespan protocol")
        return self._hub

    async def start(self) -> None:
        """Begin to listen to what happens."""
        self._hub = Hub(review=self._review)
        self._hub.start()

    async def stop(self) -> None:
        """End what ``start`` began."""
        if self._hub is not None:
            await self._hub.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, work: Callable[[], T]) -> T:
        """Run something that waits for database or Valkey, in a thread and a context of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, Context().run, _tidily, work)

    async def _review(self, guests: Sequence[Guest]) -> Findings:
        return await self.ask(lambda: admission.review(guests))


def _tidily(work: Callable[[], T]) -> T:
    """Work with a connection that lives; one that the server has dropped meanwhile is made anew."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


PROCESS = SocketProcess()
