"""A broker that takes the connection and says nothing holds up nobody for long."""

import socket
import time

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from bitvault.gateway.celery import app as product


@pytest.fixture
def silent_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_message_to_a_broker_that_is_silent_is_given_up(silent_port):
    options = dict.fromkeys(settings.CELERY_BROKER_TRANSPORT_OPTIONS, 0.2) | {"visibility_timeout": 1500}
    app = Celery("tests", broker=f"redis://127.0.0.1:{silent_port}/0", set_as_current=False)
    app.conf.broker_transport_options = options
    started = time.monotonic()
    with pytest.raises((OperationalError, RedisError, OSError)):
        app.send_task("tests.nothing", retry=False)
    assert time.monotonic() - started < 10


def test_the_product_waits_for_seconds_not_for_ever():
    options = product.conf.broker_transport_options
    assert 0 < options["socket_connect_timeout"] <= 2
    # More than the second after which a worker's waiting for messages ends by itself.
    assert 2 < options["socket_timeout"] <= 10
