"""The connection to Valkey for what must be atomic: limits and one-use tickets. Caching goes through Django's cache."""

from functools import lru_cache

from django.conf import settings
from redis import Redis

_PATIENCE_SECONDS = 1.0
"""How long an answer may take. A healthy one takes a tenth of a millisecond; a sign-in must not hang on a dead one."""


@lru_cache(maxsize=1)
def client() -> "Redis":
    """Give this process's client; it keeps a pool, is safe for threads, and connects when first used."""
    return Redis.from_url(
        f"{settings.BITVAULT_REDIS_URL}/1",
        socket_timeout=_PATIENCE_SECONDS,
        socket_connect_timeout=_PATIENCE_SECONDS,
        health_check_interval=30,
    )
