"""The Channels consumer of ``/ws/v1/sync``: one for each socket, from its handshake to its end."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from apps.sync.sockets.admission import Guest, Refusal
from apps.sync.sockets.codes import Close
from apps.sync.sockets.connection import SyncSocket
from apps.sync.sockets.process import PROCESS

SAY_EXTENSION = "bitvault.say"
"""Extension of the scope by the server below: sends a text at once if there is room, and tells whether there was."""

CLOSE_EXTENSION = "bitvault.close"
"""Extension of the scope by the server below: closes at once with a code, also when the client reads nothing."""

Message = dict[str, Any]


class SyncConsumer(AsyncConsumer):  # type: ignore[misc] # Channels has no types
    """Accepts a guest, takes their socket into the hub, and counts what its client says."""

    socket: SyncSocket | None = None

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Hold the socket; whatever ends it, it leaves the hub."""
        with ExitStack() as self.places:
            try:
                await super().__call__(scope, receive, send)
            finally:
                if self.socket is not None:
                    await PROCESS.hub.leave(self.socket)

    async def websocket_connect(self, message: Message) -> None:
        """Accept, so that a refusal can be read as a close code; only a guest with a place left stays."""
        guest: Guest | Refusal = self.scope["guest"]
        await self.send({"type": "websocket.accept"})
        if isinstance(guest, Refusal):
            await self._close(guest.code or Close.FORBIDDEN)
            return
        person = (guest.tenant.id, guest.user_id)
        places = PROCESS.by_user.held(person, limit=settings.BITVAULT_SOCKETS_PER_USER)
        if not self.places.enter_context(places):
            await self._close(Close.TOO_MANY)
            return
        server = self.scope["extensions"]
        self.socket = SyncSocket(guest, send=self.send, say=server[SAY_EXTENSION], shut=server[CLOSE_EXTENSION])
        await PROCESS.hub.join(self.socket)

    async def websocket_receive(self, message: Message) -> None:
        """Count a word of the client's."""
        if self.socket is not None:
            self.socket.listen()

    async def websocket_disconnect(self, message: Message) -> None:
        """End the consumer."""
        raise StopConsumer

    async def _close(self, code: Close) -> None:
        await self.send({"type": "websocket.close", "code": int(code)})
