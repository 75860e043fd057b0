"""The server of the socket process: ``python -m bitvault.gateway.sockets --host 127.0.0.1 --port 8001``.

uvicorn with the few things that sockets need beside it: pings that do not come all at once, a close that needs no reading client, an end
to connections that answer nothing, and a stop that sends clients away bit by bit, so that they do not all come back in one moment.
"""

import argparse
import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame

if TYPE_CHECKING:
    import socket

APPLICATION = "bitvault.gateway.asgi:application"

FRAME_LIMIT_BYTES = 64 * 1024
"""Nothing that a client says here means anything; a larger frame closes with 1009."""

PING_SECONDS = 25.0
"""Below the minute after which most proxies and mobile networks forget a silent connection."""

PING_JITTER = 0.2
"""Share by which intervals differ, so that a thousand sockets that came back together do not ping together for ever."""

FRAMES_AT_ONCE = 60
FRAMES_PER_SECOND = 2.0
"""Pings, pongs and pieces of words that a client may send. Careful ones ping each few seconds, and each of our own pings has one answer;
the server answers a ping before anybody can look at it, so a flood is ended, not ignored."""

FLOOD = 1008

CLOSE_SECONDS = 5.0
"""How long a close may wait for the client's answer before the connection is cut."""

DRAIN_SECONDS = 30.0
"""Over how long a stop sends clients away. A deploy that takes over meanwhile meets them one by one."""

DRAIN_STEP_SECONDS = 0.05
DRAINED_AT_ONCE = 10
"""At least so many go in each step: a few sockets do not make a stop wait."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.close_timeout = CLOSE_SECONDS
        self._frames = float(FRAMES_AT_ONCE)
        self._counted_at = self.loop.time()
        if self.ping_interval is not None:
            self.ping_interval *= random.uniform(1 - PING_JITTER, 1 + PING_JITTER)  # noqa: S311 - keeps no secret

    def handle_ping(self) -> None:
        """Answer a ping, and count it."""
        super().handle_ping()
        self._count_frame()

    def handle_pong(self, event: Frame) -> None:
        """Take an answer to a ping, also one that nobody asked for, and count it."""
        super().handle_pong(event)
        self._count_frame()

    def handle_cont(self, event: Frame) -> None:
        """Take a further piece of a word, and count it."""
        super().handle_cont(event)
        self._count_frame()

    def _count_frame(self) -> None:
        now = self.loop.time()
        self._frames = min(FRAMES_AT_ONCE, self._frames + (now - self._counted_at) * FRAMES_PER_SECOND) - 1
        self._counted_at = now
        if self._frames < 0:
            self.close_now(FLOOD)

    async def run_asgi(self) -> None:
        """Give the application the extensions ``bitvault.say`` and ``bitvault.close`` and run it."""
        extensions: dict[Any, Any] = self.scope["extensions"] or {}
        extensions["bitvault.say"] = self.say_now
        extensions["bitvault.close"] = self.close_now
        self.scope["extensions"] = extensions
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send what the application says. A refusal of the handshake ends it; uvicorn takes it for none and writes an error for each."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True

    def say_now(self, text: str) -> bool:
        """Send a text at once, without a task that waits for room; tells whether there was any."""
        if not self.writable.is_set() or self.close_sent or self.disconnected or self.transport.is_closing():
            return False
        try:
            self.conn.send_text(text.encode())
        except InvalidState:
            return False
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    def close_now(self, code: int) -> None:
        """Close with a code without waiting until there is room for it; a client that does not read is cut off a little later.

        ASGI's own close waits for that room, and who does not read never makes any.
        """
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        with suppress(InvalidState):
            self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Drop a client that answered no ping; what it did not read would keep the connection half open for a quarter of an hour."""
        super().keepalive_timeout()
        self.loop.call_later(self.close_timeout, self.transport.abort)


class SocketServer(uvicorn.Server):
    """A server that closes its sockets bit by bit."""

    drain_seconds = DRAIN_SECONDS

    async def shutdown(self, sockets: "list[socket.socket] | None" = None) -> None:
        """Take nobody new, send those who are here away with 1012 over the time that is given, then stop."""
        for server in self.servers:
            server.close()
        leaving = [one for one in self.server_state.connections if isinstance(one, SocketProtocol)]
        steps = max(1, int(self.drain_seconds / DRAIN_STEP_SECONDS))
        size = max(DRAINED_AT_ONCE, -(-len(leaving) // steps))
        for start in range(0, len(leaving), size):
            for connection in leaving[start : start + size]:
                connection.shutdown()
            if self.force_exit:
                break
            await asyncio.sleep(DRAIN_STEP_SECONDS)
        await super().shutdown(sockets)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bitvault.gateway.sockets", description="The sockets of BitVault.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--drain-seconds", type=float, default=DRAIN_SECONDS, help="how long a stop may take")
    asked = parser.parse_args()
    config = uvicorn.Config(
        APPLICATION,
        host=asked.host,
        port=asked.port,
        ws=SocketProtocol,
        ws_max_size=FRAME_LIMIT_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        # A head is thirty bytes: compressing it saves nothing, costs memory for each socket, and invites bombs.
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        # Lines of "info" hold whole URLs, and a ticket is in one.
        log_level="warning",
        log_config=None,
        # BITVAULT_TRUSTED_PROXY_COUNT says whom to believe.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = SocketServer(config)
    server.drain_seconds = asked.drain_seconds
    server.run()


if __name__ == "__main__":
    main()
