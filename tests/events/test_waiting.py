"""Waiting for a consumer: for numbers that there are, by one thread of a process."""

import threading
import time

import pytest
from django.db import connections

from bitvault.events import consuming, cursors
from bitvault.kernel import db, tenancy

pytestmark = pytest.mark.committed

LONG_MS = cursors.WAIT_LIMIT_MS


@pytest.fixture
def head(acme):
    """A stream whose last number no consumer has come to."""
    from bitvault.events.api import publish
    from bitvault.events.catalog.events import EventSkipped

    with tenancy.entered(acme), db.write_transaction():
        publish(EventSkipped(consumer="tests", seq=1))
    with tenancy.entered(acme):
        yield cursors.get_head()


def test_a_number_beyond_the_head_is_refused_at_once_with_the_head(api, head):
    for wait_ms in ("0", str(LONG_MS)):
        for number in (head + 1, 99_999_999):
            began = time.monotonic()
            answer = api("mia").get("/usage", min_seq=str(number), wait_ms=wait_ms)
            assert (answer.status_code, answer.json()["code"]) == (422, "events.beyond_head")
            assert answer.json()["head_seq"] == head
            assert time.monotonic() - began < LONG_MS / 2000


@pytest.mark.parametrize("path", ["/sync/conflicts", "/usage", "/audit", "/audit/verify", "/audit/export"])
def test_every_derived_read_knows_the_head(api, head, path):
    assert api("olga").get(path, min_seq=str(head + 1)).json()["code"] == "events.beyond_head"
    behind = api("olga").get(path, min_seq=str(head))
    assert (behind.status_code, behind.json()["code"]) == (202, "platform.lagging")
    assert behind["Retry-After"] == "1"


def test_position_and_head_are_one_query(acme, head, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert cursors.wait_for("audit", head, wait_ms=0) < head
    with django_assert_num_queries(1), pytest.raises(cursors.BeyondHead):
        cursors.wait_for("audit", head + 1, wait_ms=LONG_MS)


def test_while_one_waits_others_are_told_at_once_how_far_it_is(acme, head):
    longest = []

    def wait():
        try:
            with tenancy.entered(acme):
                began = time.monotonic()
                assert cursors.wait_for("audit", head, wait_ms=3000) < head
                longest.append(time.monotonic() - began)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=wait) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    longest.sort()
    assert longest[-1] >= 3
    assert longest[-2] < 3, "one waited"


def test_who_waits_is_answered_when_the_consumer_has_come(acme, head):
    def come():
        try:
            with tenancy.entered(acme):
                consuming.consume("audit")
        finally:
            connections.close_all()

    threading.Timer(0.2, come).start()
    assert cursors.wait_for("audit", head, wait_ms=LONG_MS) >= head
