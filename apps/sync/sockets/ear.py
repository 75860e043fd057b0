"""The one connection of a process to Valkey's channels: it hears heads and endings, and says when it could not hear for a while.

Built on the client's bare connection, because its subscriber reconnects in silence, and what was said meanwhile would be missed without
anybody knowing.
"""

import asyncio
import random
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CONNECT_SECONDS = 2.0
CONFIRM_SECONDS = 2.0
"""How long a new room waits for Valkey; without it heads come by the half-minute review, so nobody is kept out."""

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
"""Between tries to connect, doubling: a restart of Valkey takes under a second, an outage is not made worse by knocking."""

DEAF_SECONDS = 30.0
"""Silence, pings unanswered, after which the connection is taken for dead; a machine that vanished says nothing."""

logger = structlog.get_logger(__name__)


class Ear:
    """Hears channels.

    :param heard: gets each message, as channel and text.
    :param resumed: is called whenever listening begins (again): what was said before is unknown and must be looked up.
    """

    def __init__(self, *, heard: Callable[[str, str], None], resumed: Callable[[], None]) -> None:
        self._heard = heard
        self._resumed = resumed
        self._channels: set[str] = set()
        self._unconfirmed: dict[str, asyncio.Future[None]] = {}
        self._connection: AbstractConnection | None = None
        self._catching_up = False
        self._heard_at = time.monotonic()

    async def subscribe(self, *channels: str) -> None:
        """Begin to hear channels; returns once Valkey has confirmed them, or when it does not answer."""
        self._channels.update(channels)
        connection = self._connection
        if connection is None:
            return
        waiting = self._expect(channels)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await connection.send_command("SUBSCRIBE", *channels)
                await asyncio.gather(*waiting)
        except (RedisError, OSError, TimeoutError) as error:
            logger.info("subscription_late", error=type(error).__name__)

    async def unsubscribe(self, *channels: str) -> None:
        """Hear channels no more."""
        self._channels.difference_update(channels)
        if self._connection is not None:
            try:
                await self._connection.send_command("UNSUBSCRIBE", *channels)
            except (RedisError, OSError) as error:
                logger.info("unsubscription_lost", error=type(error).__name__)

    async def check(self) -> None:
        """Knock on the connection, and give it up when it has been silent for long."""
        connection = self._connection
        if connection is None:
            return
        if time.monotonic() - self._heard_at > DEAF_SECONDS * 2:
            await connection.disconnect(nowait=True)
            return
        try:
            await connection.send_command("PING")
        except (RedisError, OSError) as error:
            logger.info("ping_lost", error=type(error).__name__)

    async def run(self) -> None:
        """Listen for ever, connecting again whenever that is needed."""
        delay = FIRST_DELAY_SECONDS
        # Without retries of its own: each failure is one that must be known here.
        client = Redis.from_url(
            f"{settings.BITVAULT_REDIS_URL}/1",
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=None,
        )
        while True:
            connection: AbstractConnection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call] # theirs
            try:
                await connection.connect()  # type: ignore[no-untyped-call] # theirs
                await self._begin(connection)
                delay = FIRST_DELAY_SECONDS
                while True:
                    self._take(await connection.read_response(disable_decoding=True))
            except (RedisError, OSError) as error:
                logger.warning("wake_ups_interrupted", error=type(error).__name__)
            finally:
                self._connection = None
                self._give_up_waiting()
                await connection.disconnect(nowait=True)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads tries, keeps no secret
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    async def _begin(self, connection: AbstractConnection) -> None:
        self._heard_at = time.monotonic()
        self._connection = connection
        if not self._channels:
            self._resumed()
            return
        self._expect(self._channels)
        self._catching_up = True
        await connection.send_command("SUBSCRIBE", *self._channels)

    def _expect(self, channels: set[str] | tuple[str, ...]) -> list[asyncio.Future[None]]:
        loop = asyncio.get_running_loop()
        return [self._unconfirmed.setdefault(channel, loop.create_future()) for channel in channels]

    def _give_up_waiting(self) -> None:
        for future in self._unconfirmed.values():
            if not future.done():
                future.set_result(None)
        self._unconfirmed.clear()

    def _take(self, message: object) -> None:
        self._heard_at = time.monotonic()
        match message:
            case [b"message", bytes(channel), bytes(text)]:
                self._heard(channel.decode(), text.decode(errors="replace"))
            case [b"subscribe", bytes(channel), _]:
                future = self._unconfirmed.pop(channel.decode(), None)
                if future is not None and not future.done():
                    future.set_result(None)
                if self._catching_up and not self._unconfirmed:
                    # Only now: what is read from the database after this moment and what is heard overlap.
                    self._catching_up = False
                    self._resumed()
            case _:
                return
