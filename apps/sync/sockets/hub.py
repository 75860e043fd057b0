"""The hub of a process: every socket that it holds, by tenant. One subscription for each tenant, fan-out in memory.

A newcomer is first in its room and heard for, and only then reviewed: whatever ends or changes after that reading is heard, whatever
came before is read. The same review runs for everybody each half minute and after every gap in hearing, for wake-ups may be lost.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge

from apps.sync.sockets.admission import Findings, Guest
from apps.sync.sockets.codes import Close
from apps.sync.sockets.connection import SyncSocket
from apps.sync.sockets.ear import Ear
from bitvault.web.wakeups import Bond, ended_channel, head_channel

REVIEW_SECONDS = 30.0
"""How long a lost word may go unnoticed. Each turn costs one query for all credentials and one or two for each tenant that listens."""

RETRY_SECONDS = 1.0
"""Between reviews that failed: until one succeeds, newcomers are told nothing and nobody is put out."""

SOCKETS = Gauge("bitvault_sockets_open", "Sockets that are open")
CLOSED = Counter("bitvault_sockets_closed_total", "Sockets closed by us, by code", ["code"])

logger = structlog.get_logger(__name__)


class Review(Protocol):
    """Asks the database about guests."""

    def __call__(self, guests: Sequence[Guest]) -> Awaitable[Findings]:
        """Tell who may stay, and the heads of their tenants."""


class Room:
    """The sockets of one tenant."""

    __slots__ = ("head", "hearing", "sockets")

    def __init__(self, hearing: "asyncio.Task[None]") -> None:
        self.head = -1
        self.hearing = hearing
        self.sockets: set[SyncSocket] = set()

    def tell(self, head: int) -> None:
        """Tell every socket that the head has moved; one that is behind another's is old news."""
        self.head = max(self.head, head)
        for socket in self.sockets:
            socket.tell(self.head)


class Hub:
    """All sockets of this process."""

    def __init__(self, *, review: Review) -> None:
        self._review = review
        self._rooms: dict[UUID, Room] = {}
        self._ear = Ear(heard=self._hear, resumed=self._review_all)
        self._due: set[SyncSocket] = set()
        self._something_due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen and to review."""
        work = (self._ear.run, self._keep_reviewing, self._keep_time)
        self._tasks = [asyncio.get_running_loop().create_task(_for_ever(step)) for step in work]

    async def stop(self) -> None:
        """End the hub's own work; sockets are closed by the server."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def join(self, socket: SyncSocket) -> None:
        """Take a socket in; its first head comes after its review."""
        tenant_id = socket.guest.tenant.id
        room = self._rooms.get(tenant_id)
        if room is None:
            subscribing = self._ear.subscribe(head_channel(tenant_id), ended_channel(tenant_id))
            room = self._rooms[tenant_id] = Room(asyncio.get_running_loop().create_task(subscribing))
        room.sockets.add(socket)
        SOCKETS.inc()
        await asyncio.shield(room.hearing)
        self._ask_for_review([socket])

    async def leave(self, socket: SyncSocket) -> None:
        """Let a socket go; the last one of a tenant ends its subscription."""
        tenant_id = socket.guest.tenant.id
        socket.leave()
        self._due.discard(socket)
        room = self._rooms.get(tenant_id)
        if room is None or socket not in room.sockets:
            return
        room.sockets.discard(socket)
        SOCKETS.dec()
        if not room.sockets:
            del self._rooms[tenant_id]
            await self._ear.unsubscribe(head_channel(tenant_id), ended_channel(tenant_id))

    # --- hearing ------------------------------------------------------------------------------------------------------------

    def _hear(self, channel: str, text: str) -> None:
        tenant_hex, _, subject = channel.partition(":")
        room = self._rooms.get(UUID(tenant_hex))
        if room is None:
            return
        if subject == "head":
            room.tell(int(text))
        else:
            self._end(room, frozenset(text.split()))

    def _end(self, room: Room, ended: frozenset[str]) -> None:
        for socket in list(room.sockets):
            broken = socket.bonds & ended
            if broken:
                outside = any(one.startswith((f"{Bond.TENANT}:", f"{Bond.USER}:")) for one in broken)
                _close(socket, Close.FORBIDDEN if outside else Close.UNAUTHENTICATED)

    # --- reviewing ----------------------------------------------------------------------------------------------------------

    def _review_all(self) -> None:
        self._ask_for_review(socket for room in self._rooms.values() for socket in room.sockets)

    def _ask_for_review(self, sockets: Iterable[SyncSocket]) -> None:
        self._due.update(sockets)
        self._something_due.set()

    async def _keep_time(self) -> None:
        await asyncio.sleep(REVIEW_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - processes take turns, no secret
        await self._ear.check()
        self._review_all()

    async def _keep_reviewing(self) -> None:
        """Review all that are due at once: a thousand that come back together cost one reading."""
        await self._something_due.wait()
        self._something_due.clear()
        due = [*self._due]
        self._due.clear()
        if not due:
            return
        try:
            findings = await self._review([socket.guest for socket in due])
        except Exception:
            logger.exception("review_failed")
            await asyncio.sleep(RETRY_SECONDS)
            self._ask_for_review(due)
            return
        for socket in due:
            room = self._rooms.get(socket.guest.tenant.id)
            if room is None or socket not in room.sockets:
                continue
            if findings.admits(socket.guest):
                socket.reviewed = True
            else:
                _close(socket, Close.UNAUTHENTICATED)
        for tenant_id, head in findings.heads.items():
            if tenant_id in self._rooms:
                self._rooms[tenant_id].tell(head)


def _close(socket: SyncSocket, code: Close) -> None:
    CLOSED.labels(int(code)).inc()
    socket.close(code)


async def _for_ever(step: Callable[[], Awaitable[None]]) -> None:
    """Repeat a step; an error of ours in one turn must not end the hub for all."""
    while True:
        try:
            await step()
        except Exception:
            logger.exception("hub_failed")
            await asyncio.sleep(RETRY_SECONDS)
