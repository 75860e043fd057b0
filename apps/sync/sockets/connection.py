"""One socket: what it was told, what it still has to be told, and how much its client may say."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from apps.sync.sockets.admission import Guest
from apps.sync.sockets.codes import Close
from bitvault.kernel import clock

SEND_SECONDS = 10.0
"""How long a client may leave its socket full. A stalled phone gets over that; whoever reads slower than this holds memory for nothing."""

WORDS_AT_ONCE = 16
WORD_SECONDS = 10.0
"""What a client may say although nobody listens: a keep-alive of its own every ten seconds, and a few more at once."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class SyncSocket:
    """A socket of one guest. At most one head waits to be sent: a newer one takes its place, so a slow client costs no memory."""

    __slots__ = (
        "_budget",
        "_ending",
        "_head",
        "_say",
        "_send",
        "_sending",
        "_shut",
        "_spoken_at",
        "_told",
        "bonds",
        "guest",
        "reviewed",
    )

    def __init__(self, guest: Guest, *, send: Send, say: Callable[[str], bool], shut: Callable[[int], None]) -> None:
        self.guest = guest
        self.bonds = guest.bonds()
        self.reviewed = False
        self._send = send
        self._say = say
        self._shut = shut
        self._told = -1
        self._head = -1
        self._sending: asyncio.Task[None] | None = None
        self._budget = float(WORDS_AT_ONCE)
        self._spoken_at = time.monotonic()
        self._ending: asyncio.TimerHandle | None = None
        if guest.ends_at is not None:
            seconds = (guest.ends_at - clock.now()).total_seconds()
            self._ending = asyncio.get_running_loop().call_later(seconds, self.close, Close.UNAUTHENTICATED)

    def tell(self, head: int) -> None:
        """Tell the client how far changes can be read, unless it knows; not before its credential was reviewed."""
        if not self.reviewed or head <= self._head:
            return
        self._head = head
        if self._sending is not None:
            return
        if self._say(_word(head)):
            self._told = head
        else:
            self._sending = asyncio.get_running_loop().create_task(self._send_heads())

    async def _send_heads(self) -> None:
        try:
            while self._told < self._head:
                head = self._head
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send({"type": "websocket.send", "text": _word(head)})
                self._told = head
        except TimeoutError:
            self.close(Close.TOO_SLOW)
        except (OSError, RuntimeError):
            # The client has gone, or the socket was closed meanwhile: whoever reads it finds out.
            return
        finally:
            self._sending = None

    def listen(self) -> None:
        """Take a word of the client's: nothing that it says means anything here, and too much of it closes the socket."""
        now = time.monotonic()
        self._budget = min(WORDS_AT_ONCE, self._budget + (now - self._spoken_at) / WORD_SECONDS) - 1
        self._spoken_at = now
        if self._budget < 0:
            self.close(Close.FLOOD)

    def close(self, code: Close) -> None:
        """Close with a reason, also when the client does not read."""
        self._shut(int(code))

    def leave(self) -> None:
        """Stop whatever is being sent: the socket has gone."""
        if self._sending is not None:
            self._sending.cancel()
        if self._ending is not None:
            self._ending.cancel()


def _word(head: int) -> str:
    return f'{{"type":"head","seq":{head}}}'
