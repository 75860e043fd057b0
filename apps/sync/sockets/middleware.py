"""Channels middleware before the consumer: each reads or refuses one thing, and leaves what it found in the scope.

A refusal is an HTTP status: nothing is upgraded, and no page of another origin learns why.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from channels.middleware import BaseMiddleware
from django.conf import settings
from django.db import DatabaseError

from apps.sync.sockets import admission, handshake
from apps.sync.sockets.admission import Refusal
from apps.sync.sockets.process import PROCESS
from bitvault.kernel.errors import BitVaultError

T = TypeVar("T")

FORBIDDEN, TOO_MANY, UNAVAILABLE = 403, 429, 503

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

logger = structlog.get_logger(__name__)


class HandshakeMiddleware(BaseMiddleware):  # type: ignore[misc] # Channels has no types
    """Reads what the client says into ``scope["handshake"]``, and bounds the sockets of an address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 403 what says a thing twice or not at all, and with 429 who holds too many."""
        asked = handshake.read(scope)
        if asked is None:
            await _refuse(send, FORBIDDEN)
            return
        with PROCESS.by_address.held(asked.address, limit=settings.BITVAULT_SOCKETS_PER_ADDRESS) as has_place:
            if has_place:
                scope["handshake"] = asked
                await self.inner(scope, receive, send)
            else:
                await _refuse(send, TOO_MANY)


class OriginMiddleware(BaseMiddleware):  # type: ignore[misc] # Channels has no types
    """Finds the tenant of the host into ``scope["tenant"]``, and refuses pages of other origins.

    Channels' ``OriginValidator`` has one list of origins for all hosts; here a page may open a socket at its own tenant's host alone.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 403 before any credential is looked at."""
        found = await _ask(lambda: admission.find_place(scope["handshake"]), send)
        if isinstance(found, Refusal):
            await _refuse(send, FORBIDDEN)
        elif found is not None:
            scope["tenant"] = found.tenant
            await self.inner(scope, receive, send)


class CredentialMiddleware(BaseMiddleware):  # type: ignore[misc] # Channels has no types
    """Finds who asks, by ticket or session, into ``scope["guest"]``: a guest, or the refusal that the consumer tells by a close code."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 403 who brings no credential at all."""
        verdict = await _ask(lambda: admission.judge(scope["handshake"], scope["tenant"]), send)
        if isinstance(verdict, Refusal) and verdict.code is None:
            await _refuse(send, FORBIDDEN)
        elif verdict is not None:
            scope["guest"] = verdict
            await self.inner(scope, receive, send)


async def _ask(work: Callable[[], T], send: Send) -> T | None:
    """Ask database and Valkey; where one does not answer, refuse with 503 and give nothing."""
    try:
        return await PROCESS.ask(work)
    except (BitVaultError, DatabaseError) as error:
        logger.warning("socket_not_judged", error=type(error).__name__)
        await _refuse(send, UNAVAILABLE)
        return None


async def _refuse(send: Send, status: int) -> None:
    body = b"This socket is not for you.\n" if status == FORBIDDEN else b"Try again in a moment.\n"
    await send(
        {
            "type": "websocket.http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")],
        }
    )
    await send({"type": "websocket.http.response.body", "body": body})
