"""The ASGI application of ``/ws/v1/sync``: asked, judged, accepted, told.

Database and Valkey are asked in a few threads of the application's own, each work in a fresh context that enters its tenant itself:
asgiref's shared thread would let one slow query hold up every socket, and what one work had entered would be there for the next.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from apps.sync.sockets import admission, handshake
from apps.sync.sockets.admission import Findings, Guest, Refusal
from apps.sync.sockets.codes import Close
from apps.sync.sockets.connection import Send, SyncSocket
from apps.sync.sockets.handshake import Handshake
from apps.sync.sockets.hub import Hub
from bitvault.kernel.errors import BitVaultError

T = TypeVar("T")

THREADS = 4
"""Questions at once; each keeps a connection to the database. A handshake asks for about a millisecond."""

FORBIDDEN = 403
SAY_EXTENSION = "bitvault.say"
"""Extension of the scope by the server below: sends a text at once if there is room, and tells whether there was."""

CLOSE_EXTENSION = "bitvault.close"
"""Extension of the scope by the server below: closes at once with a code, also when the client reads nothing."""

logger = structlog.get_logger(__name__)


class SyncSockets:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
        self._by_address: Counter[str] = Counter()
        self._by_user: Counter[tuple[str, str]] = Counter()
        self._hub: Hub | None = None

    async def start(self) -> None:
        """Begin to listen to what happens."""
        self._hub = Hub(review=self._review)
        self._hub.start()

    async def stop(self) -> None:
        """End what ``start`` began."""
        if self._hub is not None:
            await self._hub.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Any], send: Send) -> None:
        """Hold one socket from its handshake to its end."""
        await receive()
        asked = handshake.read(scope)
        if asked is None:
            await _refuse(send)
            return
        if self._by_address[asked.address] >= settings.BITVAULT_SOCKETS_PER_ADDRESS:
            await _refuse(send, status=429)
            return
        self._by_address[asked.address] += 1
        try:
            await self._hold(asked, scope, receive, send)
        finally:
            _count_down(self._by_address, asked.address)

    async def _hold(self, asked: Handshake, scope: dict[str, Any], receive: Callable[[], Any], send: Send) -> None:
        try:
            verdict = await self._ask(lambda: admission.judge(asked))
        except (BitVaultError, DatabaseError) as error:
            logger.warning("socket_not_judged", error=type(error).__name__)
            await _refuse(send, status=503)
            return
        if isinstance(verdict, Refusal) and verdict.code is None:
            await _refuse(send)
            return
        await send({"type": "websocket.accept"})
        if isinstance(verdict, Refusal):
            await send({"type": "websocket.close", "code": int(verdict.code or Close.FORBIDDEN)})
            return
        person = (verdict.tenant.id.hex, verdict.user_id.hex)
        if self._by_user[person] >= settings.BITVAULT_SOCKETS_PER_USER:
            await send({"type": "websocket.close", "code": int(Close.TOO_MANY)})
            return
        self._by_user[person] += 1
        server = scope["extensions"]
        socket = SyncSocket(verdict, send=send, say=server[SAY_EXTENSION], shut=server[CLOSE_EXTENSION])
        try:
            await self._serve(socket, receive)
        finally:
            _count_down(self._by_user, person)

    async def _serve(self, socket: SyncSocket, receive: Callable[[], Any]) -> None:
        hub = self._hub
        if hub is None:
            raise RuntimeError("the sockets were not started: the server must run the lifespan protocol")
        try:
            await hub.join(socket)
            while (await receive())["type"] != "websocket.disconnect":
                socket.listen()
        finally:
            await hub.leave(socket)

    async def _review(self, guests: Sequence[Guest]) -> Findings:
        return await self._ask(lambda: admission.review(guests))

    async def _ask(self, work: Callable[[], T]) -> T:
        """Run something that waits for database or Valkey, in a thread and a context of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, Context().run, _tidily, work)


def _tidily(work: Callable[[], T]) -> T:
    """Work with a connection that lives; one that the server has dropped meanwhile is made anew."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


def _count_down(counter: "Counter[Any]", key: object) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


async def _refuse(send: Send, *, status: int = FORBIDDEN) -> None:
    """Answer the handshake with an HTTP status: nothing is upgraded, and no page of another origin learns why."""
    body = b"This socket is not for you.\n" if status == FORBIDDEN else b"Try again in a moment.\n"
    await send(
        {
            "type": "websocket.http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")],
        }
    )
    await send({"type": "websocket.http.response.body", "body": body})
