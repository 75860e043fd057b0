import time
from contextlib import ExitStack
from threading import Event, Thread
from uuid import uuid4

import pytest

from bitvault.web.limits import fair_shares as module
from bitvault.web.limits.cells import Cells
from bitvault.web.limits.fair_shares import BESIDE_SECONDS, BURST_SECONDS, DEBT_SECONDS, FairShares, Latest, Requester


def somebody(tenant_id=None):
    return Requester(tenant_id or uuid4(), uuid4(), uuid4())


@pytest.fixture
def shares():
    return make()


def make(used=None):
    return FairShares(user_percent=20, tenant_percent=40, in_flight_limit=2, core_count=1, used=used or Cells())


def work(shares, requester, cpu_seconds):
    wait = shares.enter(requester)
    if not wait:
        shares.leave(requester, cpu_seconds)
    return wait


def test_who_is_alone_may_take_everything(shares):
    alone = somebody()
    assert [work(shares, alone, 1.0) for _ in range(50)] == [0] * 50


def test_one_person_with_several_credentials_is_alone(shares):
    person = somebody()
    again = Requester(person.tenant_id, person.user_id, uuid4())
    assert [work(shares, one, 1.0) for _ in range(10) for one in (person, again)] == [0] * 20


def test_a_share_is_kept_while_somebody_else_asks_too(shares):
    greedy, modest = somebody(), somebody()
    work(shares, greedy, 5.0)
    assert work(shares, modest, 0.001) == 0
    assert work(shares, greedy, 0.001) == 1
    assert work(shares, modest, 0.001) == 0


def test_a_burst_within_the_share_passes(shares):
    one, other = somebody(), somebody()
    work(shares, other, 0.001)
    passed = sum(work(shares, one, 0.01) == 0 for _ in range(100))
    assert 60 <= passed <= 65, "three seconds' share of 0.6 s, in pieces of 10 ms"


def test_who_has_run_far_ahead_goes_on_with_one_thread_at_a_time(shares):
    greedy, modest = somebody(), somebody()
    work(shares, modest, 0.001)
    assert [shares.enter(greedy), shares.enter(greedy)] == [0, 0]
    shares.leave(greedy, 0.2)
    shares.leave(greedy, 0.2)
    assert [shares.enter(greedy), shares.enter(greedy)] == [0, 1]
    shares.leave(greedy, 0.0)
    assert shares.enter(greedy) == 0


@pytest.fixture
def far_ahead(shares):
    """Somebody who has run far ahead of their share, beside somebody else."""
    greedy = somebody()
    work(shares, somebody(), 0.0)
    work(shares, greedy, 0.2 * BURST_SECONDS * 0.8)
    return greedy


def enter_aside(shares, requester):
    """Let somebody begin a request in a thread of its own; the event says when it has begun."""
    begun = Event()
    Thread(target=lambda: (shares.enter(requester), begun.set()), daemon=True).start()
    return begun


@pytest.mark.parametrize("known", [True, False])
def test_who_has_run_far_ahead_begins_when_what_others_have_begun_has_ended(shares, far_ahead, monkeypatch, known):
    monkeypatch.setattr(module, "GIVE_WAY_SECONDS", 30.0)
    other = somebody()
    with ExitStack() as request:
        if known:
            shares.enter(other)
            request.callback(shares.leave, other, 0.0)
        else:
            request.enter_context(shares.stranger())
        begun = enter_aside(shares, far_ahead)
        assert not begun.wait(0.1)
    assert begun.wait(10)


def test_who_has_run_far_ahead_begins_at_once_where_nobody_else_is(shares, far_ahead, monkeypatch):
    monkeypatch.setattr(module, "GIVE_WAY_SECONDS", 30.0)
    assert enter_aside(shares, far_ahead).wait(10)


def test_nobody_gives_way_for_long_and_of_several_one_does(shares, far_ahead, monkeypatch):
    second = somebody()
    work(shares, second, 0.2 * BURST_SECONDS * 0.8)
    shares.enter(somebody())
    assert enter_aside(shares, far_ahead).wait(10)
    shares.leave(far_ahead, 0.0)
    monkeypatch.setattr(module, "GIVE_WAY_SECONDS", 30.0)
    waiting = enter_aside(shares, far_ahead)
    assert not waiting.wait(0.1)
    assert enter_aside(shares, second).wait(10)


def test_colleagues_have_shares_too_and_their_tenant_has_twice_that(shares):
    tenant_id = uuid4()
    colleagues = [somebody(tenant_id) for _ in range(4)]
    for one in colleagues:
        work(shares, one, 0.5)
    assert [shares._users.find_wait(one.user_id, time.monotonic()) for one in colleagues] == [0.0] * 4
    assert work(shares, somebody(), 0.001) == 0
    assert work(shares, colleagues[0], 0.001) == 1, "each within their own share, together beyond their tenant's"


def test_nobody_waits_longer_than_the_longest_debt(shares):
    greedy = somebody()
    work(shares, greedy, 1000.0)
    work(shares, somebody(), 0.001)
    wait = shares._users.find_wait(greedy.user_id, time.monotonic())
    assert 0 < wait <= DEBT_SECONDS
    assert shares._users.find_wait(greedy.user_id, time.monotonic() + DEBT_SECONDS + BURST_SECONDS) == 0


def test_one_holds_only_some_threads_while_others_ask_too(shares):
    slow, other = somebody(), somebody()
    assert [shares.enter(slow) for _ in range(3)] == [0, 0, 0], "alone"
    for _ in range(3):
        shares.leave(slow, 0.0)
    work(shares, other, 0.0)
    assert [shares.enter(slow) for _ in range(3)] == [0, 0, 1]
    assert work(shares, other, 0.0) == 0
    shares.leave(slow, 0.0)
    assert shares.enter(slow) == 0


def test_who_asked_long_ago_is_not_beside():
    latest = Latest()
    one, other, third = uuid4(), uuid4(), uuid4()
    now = time.monotonic()
    latest.note(other, now - BESIDE_SECONDS - 0.1)
    latest.note(one, now)
    assert not latest.anybody_but(one, now)
    latest.note(third, now - 1)
    assert latest.anybody_but(one, now)
    latest.note(third, now - 5)
    assert latest.anybody_but(one, now), "an older word does not undo a newer one"


def test_processes_of_a_machine_know_who_asks_the_others_and_what_they_have_used(monkeypatch):
    monkeypatch.setattr(module, "MACHINE", uuid4().hex)
    used, used_there = Cells(), Cells()
    one, other = make(used), make(used_there)
    greedy = somebody()
    work(one, greedy, 5.0)
    assert work(one, greedy, 0.0) == 0, "nobody else asks"
    work(other, somebody(), 0.001)
    other.exchange()
    one.exchange()
    assert work(one, greedy, 0.0) == 1
    assert work(other, greedy, 0.0) == 0, "what was used elsewhere is not known yet"
    used.settle()
    work(other, greedy, 0.001)
    used_there.settle()
    assert work(other, greedy, 0.0) == 1


def test_another_machine_has_shares_of_its_own(monkeypatch):
    monkeypatch.setattr(module, "MACHINE", uuid4().hex)
    here = make()
    work(here, somebody(), 0.001)
    here.exchange()
    monkeypatch.setattr(module, "MACHINE", uuid4().hex)
    there, greedy = make(), somebody()
    work(there, greedy, 5.0)
    there.exchange()
    assert work(there, greedy, 0.0) == 0
