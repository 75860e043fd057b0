"""Events that do not end: neither another consumer nor another tenant waits for them, and the relay never does."""

import signal

import pytest

from bitvault.events import consuming
from tests.support import noting

pytestmark = pytest.mark.journey

CONSUMERS = noting.list_consumers()
LIMIT = 0.6
LONG = 1000.0
WHOLE_SECONDS = 300
OTHERS_SECONDS = 30.0
"""How long others may wait on a loaded machine; what hangs does so for an hour."""


@pytest.fixture
def lanes(stream):
    """A scheduler, and workers as ``make up`` starts them: the relay's now, others when they are asked for."""
    nursery = stream.nursery
    nursery.beat()

    def begin(*queues, processes, limit=LIMIT):
        # Whoever sends a task tells its limit.
        nursery.worker(queues="relay", processes=1, limit=limit)
        nursery.worker(queues=",".join(queues), processes=processes, limit=limit)

    yield begin
    for pid in list(nursery.living):
        nursery.kill(pid)


@pytest.fixture(autouse=True)
def give_up_in_time():
    """End a test that would wait for something that hangs."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it hangs itself"))
    signal.alarm(WHOLE_SECONDS)
    yield
    signal.alarm(0)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("hangs", "SoftTimeLimitExceeded"),
        ("laborious 3600", "SoftTimeLimitExceeded"),
        ("deaf", f"a worker died on it {consuming.TRY_LIMIT} times"),
    ],
)
def test_an_event_that_hangs_is_parked_and_nobody_else_waits(stream, lanes, companies, text, error):
    """With as many hanging tenants as processes, and nobody who takes the patient lane."""
    acme, beta = companies.acme, companies.beta
    lanes(*CONSUMERS, processes=2)
    stream.settle()
    before = {tenant.id: len(stream.effects(tenant)) for tenant in (acme, beta)}
    hanging = stream.note(acme, "fine 1", text, "fine 2") - 1
    beside = 0
    while stream.position("notes", acme) < hanging:
        last = stream.note(beta, "beside it")
        stream.await_that(
            lambda last=last: (
                not stream.lags("sync", "audit", "billing", "gc") and stream.position("notes", beta) >= last
            ),
            seconds=OTHERS_SECONDS,
        )
        beside += 1
    assert beside > 3, "others came and went meanwhile"
    stream.settle()
    assert stream.effects(acme)[before[acme.id] :] == ["fine 1", "fine 2"]
    assert stream.effects(beta)[before[beta.id] :] == ["beside it"] * beside
    letters = stream.database.execute(
        "SELECT seq, error, try_count FROM events_dead_letter WHERE consumer = 'notes' AND tenant_id = %s AND seq = %s",
        [acme.id, hanging],
    ).fetchall()
    assert [(seq, tries) for seq, _, tries in letters] == [(hanging, consuming.TRY_LIMIT)]
    assert letters[0][1].startswith(error)
    assert stream.violations("dead letters") == []


def test_events_that_hang_in_every_process_hold_others_up_for_the_limit_of_a_call(stream, lanes, companies):
    """One process for all consumers: it is free again after each try, and the relay has its own."""
    lanes(*CONSUMERS, processes=1)
    stream.settle()
    head = stream.note(companies.acme, "hangs", "fine")
    while stream.position("notes", companies.acme) < head:
        last = stream.note(companies.beta, "beside it")
        stream.await_that(lambda last=last: stream.position("notes", companies.beta) >= last, seconds=OTHERS_SECONDS)
    stream.settle()
    assert stream.violations("dead letters") == []


def test_an_event_that_needs_longer_than_others_may_wait_gets_the_time_in_the_patient_lane(stream, lanes, companies):
    acme, beta = companies.acme, companies.beta
    lanes(*CONSUMERS, processes=2)
    stream.nursery.worker(queues="patient", processes=1, limit=LIMIT)
    stream.settle()
    letters = _count_letters(stream)
    seq = stream.note(acme, "laborious 1.5", "behind it")
    while stream.position("notes", acme) < seq:
        last = stream.note(beta, "beside it")
        stream.await_that(lambda last=last: stream.position("notes", beta) >= last, seconds=OTHERS_SECONDS)
    assert stream.effects(acme)[-2:] == ["laborious 1.5", "behind it"]
    assert _count_letters(stream) == letters
    stream.settle()
    assert stream.violations("dead letters") == []


def test_the_relay_goes_on_while_every_other_process_hangs(stream, lanes, companies):
    stream.note(companies.acme, "hangs")
    lanes("celery", "patient", *CONSUMERS, processes=1, limit=LONG)
    tries = "SELECT try_count FROM events_consumer_cursor WHERE consumer = 'notes' AND tenant_id = %s"
    stream.await_that(lambda: stream.database.execute(tries, [companies.acme.id]).fetchone() > (0,))
    turn = _last_turn(stream)
    for _ in range(5):
        stream.await_that(lambda turn=turn: _last_turn(stream) > turn, seconds=OTHERS_SECONDS)
        turn = _last_turn(stream)
    assert stream.effects(companies.acme)[-1] != "hangs"


def _count_letters(stream):
    return stream.database.execute("SELECT count(*) FROM events_dead_letter WHERE consumer = 'notes'").fetchone()[0]


def _last_turn(stream):
    return stream.database.execute("SELECT beaten_at FROM events_heartbeat WHERE name = 'relay'").fetchone()[0]
