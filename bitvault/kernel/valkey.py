"""The cache backend: Django's for Redis and Valkey, with one pool of connections for the whole process.

Django keeps a cache object per context, and each request runs in a context of its own (``gateway.middleware``), so each one would open a
connection anew: a seventh of the time of an upload went there.
"""

import functools
from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


@functools.cache
def _client(servers: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> RedisCacheClient:
    """Make the client of these servers, once; its pools notice a fork and serve any thread."""
    return RedisCacheClient(list(servers), **dict(options))


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
