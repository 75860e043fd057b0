"""Connections to Valkey: kept by the process, not by a request, and no request waits long for one."""

import contextvars
import threading
import time
from contextlib import suppress

import pytest
from django.core.cache import caches
from redis.exceptions import RedisError

from bitvault.kernel import valkey as kernel_valkey
from bitvault.kernel.errors import Unavailable
from bitvault.kernel.valkey import SharedRedisCache
from bitvault.web import throttle, valkey, wakeups
from tests.support import stopping

LONG_SECONDS = 20.0
"""Far less than calls take that each wait for a second, far more than those take that do not."""


@pytest.fixture(scope="module")
def server():
    with stopping.own_valkey() as running:
        yield running


@pytest.fixture
def own(server, settings):
    """A Valkey of this file's own is the installation's."""
    running, url = server
    with stopping.valkey_at(url, settings):
        yield running


def test_every_request_uses_the_connections_of_the_process():
    def ask():
        cache = caches["default"]
        cache.set("kernel-test", 1, timeout=5)
        return id(cache), id(cache._cache.get_client().connection_pool)

    asked = [contextvars.Context().run(ask) for _ in range(3)]
    assert len({pool for _, pool in asked}) == 1


def test_after_one_call_that_valkey_leaves_unanswered_nobody_waits_for_it(own, settings, acme):
    cache = SharedRedisCache(f"{settings.BITVAULT_REDIS_URL}/1", {})
    cache.set("a", 1)
    valkey.client().ping()
    with own.standing_still():
        began = time.monotonic()
        for _ in range(200):
            with pytest.raises(RedisError):
                cache.get("a")
            with pytest.raises(RedisError):
                valkey.client().ping()
            wakeups.announce_head(acme.id, 1)
            throttle.take("test", ["a"], limit=1, per_seconds=60, everywhere=True, guards_secret=False)
            with pytest.raises(Unavailable):
                throttle.take("test", ["a"], limit=1, per_seconds=60, everywhere=True)
        assert time.monotonic() - began < LONG_SECONDS
        assert kernel_valkey.outage.is_down
    await_that(lambda: not kernel_valkey.outage.is_down)
    assert cache.get("a") == 1


def test_all_who_wait_at_once_wait_for_one_second(own):
    def wait():
        with pytest.raises(RedisError):
            valkey.client().ping()

    with own.standing_still():
        began = time.monotonic()
        threads = [threading.Thread(target=wait) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < LONG_SECONDS / 2


def test_one_connection_that_ended_is_no_outage(own):
    valkey.client().ping()
    valkey.client().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
    with suppress(RedisError):
        valkey.client().ping()
    await_that(lambda: not kernel_valkey.outage.is_asked)
    assert not kernel_valkey.outage.is_down
    assert valkey.client().ping()


def await_that(condition):
    deadline = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
