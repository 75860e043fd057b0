import secrets
import threading
import time
from uuid import uuid4

import pytest
from redis.exceptions import RedisError

from bitvault.web import valkey
from bitvault.web.limits.cells import SIZE_LIMIT, Cells, _name
from bitvault.web.limits.policies import Policy

FIVE = Policy("five", 5, 60)
THOUSAND = Policy("thousand", 1000, 60)


@pytest.fixture
def own():
    return Cells()


@pytest.fixture
def key():
    return ("five", None, secrets.token_hex(8))


def passes(cells, *wanted):
    standing = cells.take(wanted)
    return standing is None or not standing.retry_after_seconds


def test_as_many_as_the_quota_come_through_and_the_next_is_told_when_to_come_back(own, key):
    remaining = [own.take([(FIVE, key)]).remaining for _ in range(5)]
    refused = own.take([(FIVE, key)])
    assert remaining == [4, 3, 2, 1, 0]
    assert (refused.policy, refused.remaining) == (FIVE, 0)
    assert 11 <= refused.retry_after_seconds <= 12
    assert 59 <= refused.reset_seconds <= 60


def test_after_that_time_one_more_comes_through(own, key):
    policy = Policy("short", 5, 10)
    assert all(passes(own, (policy, key)) for _ in range(5))
    assert not passes(own, (policy, key))
    time.sleep(2.1)
    assert passes(own, (policy, key))


def test_a_refused_request_does_not_prolong_the_wait(own, key):
    policy = Policy("short", 5, 5)
    for _ in range(50):
        own.take([(policy, key)])
    time.sleep(1.1)
    assert passes(own, (policy, key))


def test_a_request_that_one_cell_refuses_is_counted_by_none(own, key):
    # A minute and a half for each, so that none of them is forgotten meanwhile.
    slow, other = Policy("slow", 1000, 86_400), ("slow", None, "everybody")
    for _ in range(20):
        own.take([(FIVE, key), (slow, other)])
    assert own.take([(slow, other)]).remaining == 1000 - 5 - 1


def test_the_standing_that_is_told_is_the_nearest_limit(own, key):
    assert own.take([(THOUSAND, ("thousand", None, "x")), (FIVE, key)]).policy is FIVE


def test_judging_counts_nothing(own, key):
    for _ in range(20):
        assert own.judge([(FIVE, key)]) is None
    for _ in range(5):
        own.take([(FIVE, key)])
    assert own.judge([(FIVE, key)]).retry_after_seconds >= 11


def test_what_has_happened_already_counts_beyond_a_limit_but_not_without_end(own, key):
    for _ in range(100):
        own.charge([(FIVE, key)])
    assert 12 < own.judge([(FIVE, key)]).retry_after_seconds <= 39


def test_of_many_at_once_no_more_than_the_quota_come_through(own):
    policy = Policy("fifty", 50, 3600)
    outcomes = []
    barrier = threading.Barrier(16)

    def attempt():
        barrier.wait()
        outcomes.extend(passes(own, (policy, ("fifty", None, "x"))) for _ in range(20))

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(outcomes), sum(outcomes)) == (320, 50)


def test_processes_learn_of_each_other_when_they_settle(key):
    """Between two steps each lets through what it knows of; afterwards the excess is waited out."""
    one, other = Cells(), Cells()
    assert all(passes(one, (FIVE, key)) for _ in range(5))
    one.settle()
    assert all(passes(other, (FIVE, key)) for _ in range(3)), "the step's excess: what it serves before it settles"
    other.settle()
    assert not passes(other, (FIVE, key))
    assert 45 <= other.take([(FIVE, key)]).retry_after_seconds <= 48, (
        "three more than the quota: a wait of four requests"
    )
    one.take([(FIVE, key)])
    one.settle()


def test_a_thread_of_its_own_settles(key):
    one, other = Cells(), Cells()
    for _ in range(5):
        one.take([(FIVE, key)])
    deadline = time.monotonic() + 10
    while valkey.client().get(_name(key)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    other.take([(FIVE, key)])
    while other.judge([(FIVE, key)]) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_comes_while_valkey_is_asked_is_kept(own, key, monkeypatch):
    own.take([(FIVE, key)])
    real = valkey.client()

    class Slow:
        def eval(self, *arguments):
            found = real.eval(*arguments)
            own.take([(FIVE, key)])
            return found

    monkeypatch.setattr(valkey, "client", Slow)
    own.settle()
    monkeypatch.undo()
    assert own.take([(FIVE, key)]).remaining == 2
    own.settle()
    assert int(valkey.client().pttl(_name(key))) > 35_000


def test_a_cell_in_valkey_is_forgotten_when_it_is_empty(own, key):
    own.take([(FIVE, key)])
    own.settle()
    assert 0 < valkey.client().pttl(_name(key)) <= 12_001


def test_without_valkey_each_process_limits_by_itself(own, key, no_valkey):
    assert sum(passes(own, (FIVE, key)) for _ in range(20)) == 5
    with pytest.raises(RedisError):
        own.settle()
    assert not passes(own, (FIVE, key))


def test_a_name_in_valkey_begins_with_its_tenant_and_tells_nobody():
    tenant = uuid4()
    assert _name(("read", tenant, "x")).startswith(f"{tenant.hex}:limits:read:")
    assert _name(("address", None, "192.0.2.7")).startswith("public:limits:address:")
    assert "192.0.2.7" not in _name(("address", None, "192.0.2.7"))


def test_strangers_cannot_grow_the_memory_of_a_process(own):
    policy = Policy("brief", 1_000_000, 1)
    for number in range(SIZE_LIMIT + 10):
        own.take([(policy, ("brief", None, number))])
    assert len(own._cells) <= SIZE_LIMIT
    own.settle()
