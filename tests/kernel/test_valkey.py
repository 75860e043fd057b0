"""Connections to Valkey: kept by the process, not by a request."""

import contextvars

from django.core.cache import caches


def test_every_request_uses_the_connections_of_the_process():
    def ask():
        cache = caches["default"]
        cache.set("kernel-test", 1, timeout=5)
        return id(cache), id(cache._cache.get_client().connection_pool)

    asked = [contextvars.Context().run(ask) for _ in range(3)]
    assert len({pool for _, pool in asked}) == 1
