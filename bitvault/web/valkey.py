"""The connection to Valkey for what must be atomic: limits and one-use tickets. Caching goes through Django's cache."""

from functools import lru_cache

from django.conf import settings
from redis import Redis

from bitvault.kernel.valkey import connection_options


@lru_cache(maxsize=1)
def client() -> "Redis":
    """Give this process's client; it keeps a pool, is safe for threads, and connects when first used."""
    return Redis.from_url(f"{settings.BITVAULT_REDIS_URL}/1", **connection_options())


def require_answer() -> None:
    """Find out that Valkey answers, before a message is sent by Celery, which keeps connections of its own and waits longer.

    :raises redis.exceptions.RedisError: it does not.
    """
    client().ping()
