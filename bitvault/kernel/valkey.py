"""Connections to Valkey: how long they wait, the breaker that all of this process share, and the cache backend.

The backend is Django's for Redis and Valkey, with one pool of connections for the whole process. Django keeps a cache object per context,
and each request runs in a context of its own (``gateway.middleware``), so each one would open a connection anew: a seventh of the time of
an upload went there.

The first call that Valkey leaves unanswered waits for a second; until it answers again, all others fail at once, with the error that a
dead server gives. What can go on without it does; what guards a secret refuses.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as NotAnswered
from redis.retry import Retry

from bitvault.kernel.outages import Outage

T = TypeVar("T")

PATIENCE_SECONDS = 1.0
"""How long an answer may take. A healthy one takes a tenth of a millisecond."""

_TIMEOUTS: dict[str, Any] = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}


def _ask_valkey() -> None:
    with Redis.from_url(f"{settings.BITVAULT_REDIS_URL}/1", retry=Retry(NoBackoff(), 0), **_TIMEOUTS) as client:
        client.ping()


outage = Outage("valkey", probe=_ask_valkey, failures=(NotConnected, NotAnswered))


class _OneTry(Retry):
    """What stands around each call on a connection (the client's hook): one try, and none while Valkey is down."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 0)

    def call_with_retry(self, do: Callable[[], T], *rest: Any, **options: Any) -> T:
        """Make a call.

        :raises NotConnected: it failed, or Valkey is known to be down.
        :raises NotAnswered: there was no answer in time.
        """
        if outage.is_down:
            outage.count_refusal()
            raise NotConnected("Valkey is known to be down")
        try:
            return super().call_with_retry(do, *rest, **options)
        except NotAnswered:
            outage.begin()
            raise
        except NotConnected:
            # One connection that has ended is no outage.
            outage.suspect()
            raise


def connection_options() -> dict[str, Any]:
    """Give the options of every pool of connections to Valkey."""
    return {**_TIMEOUTS, "retry": _OneTry(), "health_check_interval": 30}


@functools.cache
def _client(servers: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> RedisCacheClient:
    """Make the client of these servers, once; its pools notice a fork and serve any thread."""
    return RedisCacheClient(list(servers), **{**connection_options(), **dict(options)})


class SharedRedisCache(RedisCache):
    """A cache object that costs nothing to make."""

    _servers: list[str]
    _options: dict[str, Any]

    def claim(self, keys: Iterable[str], *, timeout: int) -> list[str]:
        """Take the keys that nobody has, for ``timeout`` seconds, in one round trip; returns those."""
        wanted = list(keys)
        pipeline = self._cache.get_client(None, write=True).pipeline(transaction=False)
        for key in wanted:
            pipeline.set(self.make_and_validate_key(key), 1, nx=True, ex=timeout)
        return [key for key, taken in zip(wanted, pipeline.execute(), strict=True) if taken]

    @property
    def _cache(self) -> RedisCacheClient:
        return _client(tuple(self._servers), tuple(self._options.items()))
