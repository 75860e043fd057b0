import secrets
import threading

import pytest

from bitvault.kernel import db as transactions
from bitvault.kernel import tenancy
from bitvault.kernel.db import OutsideWorldInTransaction
from bitvault.kernel.errors import TooManyRequests, Unavailable
from bitvault.web import throttle, valkey


@pytest.fixture
def who():
    return [secrets.token_hex(8)]


def take(who, **changes):
    throttle.take("test", who, **({"limit": 5, "per_seconds": 60, "everywhere": True} | changes))


def test_as_many_as_the_limit_come_through_and_the_next_is_told_when_to_come_back(who):
    for _ in range(5):
        take(who)
    with pytest.raises(TooManyRequests) as caught:
        take(who)
    assert 1 <= caught.value.retry_after_seconds <= 12
    assert caught.value.facts == {"retry_after_seconds": caught.value.retry_after_seconds}


def test_the_wait_is_told_in_words_that_a_person_can_use(who):
    for seconds, words in ((1, "1 second"), (60, "60 seconds"), (119, "119 seconds"), (121, "3 minutes")):
        assert throttle._say_wait(seconds) == f"Too many tries. Try again in {words}."
    for _ in range(5):
        take(who, per_seconds=3600)
    with pytest.raises(TooManyRequests, match=r"^Too many tries\. Try again in 12 minutes\.$"):
        take(who, per_seconds=3600)


def let_pass(who, seconds):
    """Let a cell be older by Valkey's clock, which no test can set."""
    cell = throttle._cell("test", who, everywhere=True)
    client = valkey.client()
    client.set(cell, int(client.get(cell)) - seconds * 1_000_000, keepttl=True)


def test_after_that_time_one_more_comes_through(who):
    for _ in range(5):
        take(who)
    with pytest.raises(TooManyRequests) as caught:
        take(who)
    let_pass(who, caught.value.retry_after_seconds)
    take(who)
    with pytest.raises(TooManyRequests):
        take(who)


def test_a_refused_try_does_not_prolong_the_wait(who):
    for _ in range(5):
        take(who)
    for _ in range(20):
        with pytest.raises(TooManyRequests) as caught:
            take(who)
    assert caught.value.retry_after_seconds <= 12
    let_pass(who, 12)
    take(who)


def test_what_is_given_back_can_be_taken_again(who):
    for _ in range(20):
        take(who)
        throttle.give_back("test", who, limit=5, per_seconds=60, everywhere=True)
    for _ in range(5):
        take(who)
    with pytest.raises(TooManyRequests):
        take(who)


def test_giving_back_what_was_never_taken_gives_nothing(who):
    for _ in range(5):
        throttle.give_back("test", who, limit=5, per_seconds=60, everywhere=True)
    for _ in range(5):
        take(who)
    with pytest.raises(TooManyRequests):
        take(who)


def test_names_and_parts_are_counted_apart(who):
    for _ in range(5):
        take(who)
    take([*who, "more"])
    throttle.take("other", who, limit=5, per_seconds=60, everywhere=True)
    with pytest.raises(TooManyRequests):
        take(who)


def test_tenants_are_counted_apart_unless_it_counts_everywhere(who, acme, beta):
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            for _ in range(5):
                take(who, everywhere=False)
            with pytest.raises(TooManyRequests):
                take(who, everywhere=False)
    with tenancy.entered(acme):
        for _ in range(5):
            take(who)
    with tenancy.entered(beta), pytest.raises(TooManyRequests):
        take(who)


def test_a_limit_of_a_tenant_needs_one(who):
    with pytest.raises(tenancy.NoTenant):
        take(who, everywhere=False)


def test_of_many_at_once_no_more_than_the_limit_come_through(who):
    outcomes = []
    barrier = threading.Barrier(16)

    def attempt():
        barrier.wait()
        for _ in range(20):
            try:
                take(who, limit=50, per_seconds=3600)
                outcomes.append(True)
            except TooManyRequests:
                outcomes.append(False)

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(outcomes), sum(outcomes)) == (320, 50)


def test_a_cell_is_forgotten_when_it_is_empty_again(who):
    take(who)
    assert 0 < valkey.client().pttl(throttle._cell("test", who, everywhere=True)) <= 12_000


def test_without_valkey_secrets_stay_guarded_and_everything_else_goes_on(who, no_valkey):
    with pytest.raises(Unavailable):
        take(who)
    take(who, guards_secret=False)
    throttle.give_back("test", who, limit=5, per_seconds=60, everywhere=True)


def test_nothing_is_counted_inside_a_transaction(tenant, who):
    with transactions.write_transaction(), pytest.raises(OutsideWorldInTransaction):
        take(who)
