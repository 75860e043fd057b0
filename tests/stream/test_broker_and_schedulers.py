"""The broker forgets everything, two schedulers run, a queue has no worker, a tenant has much to do: nobody else notices."""

import itertools
import json
import time

import pytest

from bitvault.events import relay
from tests.support import noting
from tests.support.nursery import PACE

pytestmark = pytest.mark.journey

CONSUMERS = noting.list_consumers()
BUT_AUDIT = [name for name in CONSUMERS if name != "audit"]
WATCHED_SECONDS = 2.0
"""How long two schedulers are watched: ten turns of one of them."""


@pytest.fixture(scope="module", autouse=True)
def _noted_turns(stream):
    stream.database.execute(
        "CREATE TABLE tests_turn (beaten_at timestamptz);"
        "CREATE FUNCTION tests_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " 'BEGIN INSERT INTO public.tests_turn VALUES (NEW.beaten_at); RETURN NULL; END';"
        "CREATE TRIGGER tests_turn AFTER INSERT OR UPDATE ON events_heartbeat FOR EACH ROW WHEN (NEW.name = 'relay')"
        " EXECUTE FUNCTION tests_turn()"
    )


def test_a_broker_that_forgets_a_thousand_events_delays_them_by_two_turns(stream, nursery, companies):
    """CEL-3: emptied while everybody's messages wait in it, then killed and started without a memory.

    After each, two turns of the relay are enough to have every consumer called; the rest is their work.
    """
    acme, beta = companies.acme, companies.beta
    nursery.beat()
    nursery.worker(queues="relay", processes=1)
    stream.note(acme, *[f"a{n}" for n in range(500)])
    stream.note(beta, *[f"b{n}" for n in range(500)])
    stream.await_that(lambda: _waits_for_all(stream))
    assert stream.lags("notes") == {("notes", tenant.id.hex): 500 for tenant in stream.tenants}

    stream.broker().flushall()
    turns = _turns(stream)
    stream.await_that(lambda: _waits_for_all(stream) or _turns(stream) > turns + 2)
    assert _waits_for_all(stream)

    stream.kill_broker()
    stream.start_broker()
    assert not any(stream.broker().llen(queue) for queue in CONSUMERS)
    turns = _turns(stream)
    # One more, which may have been under way when the broker came back. Who looks too late sees more turns, and all of them waiting.
    stream.await_that(lambda: nursery.replace_ended() or _waits_for_all(stream) or _turns(stream) > turns + 3)
    assert _waits_for_all(stream)

    nursery.worker(queues=",".join(CONSUMERS))
    stream.settle()
    assert stream.violations() == []
    assert stream.effects(acme) == [f"a{n}" for n in range(500)]
    assert stream.effects(beta) == [f"b{n}" for n in range(500)]


def _waits_for_all(stream):
    """Tell whether a message waits for each consumer and tenant that lags, and all of them do."""
    return all(stream.broker().llen(queue) >= len(stream.tenants) for queue in CONSUMERS)


def test_a_broker_that_is_away_while_work_is_done_is_asked_again(stream, nursery, companies):
    nursery.beat()
    nursery.worker()
    stream.note(companies.acme, "slow 1.5")
    stream.await_that(
        lambda: (
            stream.database.execute(
                "SELECT FROM pg_stat_activity WHERE wait_event = 'ClientRead' AND state LIKE 'idle in%'"
            ).fetchone()
            is not None
        )
    )
    stream.kill_broker()
    stream.note(companies.acme, "after it")
    stream.start_broker()
    stream.settle()
    assert stream.violations() == []


@pytest.mark.parametrize("holds", [True, False], ids=["with the lease", "planted: without"])
def test_of_two_schedulers_one_sends_and_the_other_takes_over(stream, nursery, holds):
    """CEL-4: what is sent tells who sent it. Without the lease between them both do, and this finds it out."""
    stream.broker().delete("relay")
    beats = {nursery.beat(holds=holds) for _ in range(2)}
    stream.await_that(lambda: _senders(stream))
    if not holds:
        stream.await_that(lambda: _senders(stream) == beats)
        return
    time.sleep(WATCHED_SECONDS)
    first = _senders(stream)
    assert len(first) == 1
    assert first < beats
    (sender,) = first
    nursery.kill(sender)
    stream.broker().delete("relay")
    stream.await_that(lambda: _senders(stream))
    assert _senders(stream) == beats - first


def _senders(stream):
    """Tell which processes have sent what waits for a relay that does not run."""
    origins = [json.loads(message)["headers"]["origin"] for message in stream.broker().lrange("relay", 0, -1)]
    return {int(origin.partition("@")[0].removeprefix("gen")) for origin in origins}


def test_two_schedulers_take_one_turn(stream, nursery, companies):
    """CEL-4: however many messages they send, one relay works in each turn, and no effect is doubled."""
    nursery.worker()
    for _ in range(2):
        nursery.beat()
    for n in range(40):
        stream.note(companies.acme, f"n{n}")
        time.sleep(0.05)
    stream.settle()
    assert stream.violations() == []
    turns = [at for (at,) in stream.database.execute("SELECT beaten_at FROM tests_turn ORDER BY 1").fetchall()]
    pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(turns)]
    assert len(pauses) > 3
    assert min(pauses) >= relay.TURN_SECONDS / PACE


def test_a_consumer_without_a_worker_delays_no_other_and_fills_no_broker(stream, nursery, companies):
    nursery.beat()
    nursery.worker(queues=",".join(["celery", "relay", *BUT_AUDIT]))
    for n in range(3):
        stream.note(companies.acme, f"n{n}")
        stream.note(companies.beta, f"n{n}")
        stream.await_that(lambda: not stream.lags(*BUT_AUDIT))
    assert stream.lags() == {("audit", tenant.id.hex): 3 for tenant in stream.tenants}
    turns = _turns(stream)
    stream.await_that(lambda: _turns(stream) > turns + 5)
    assert stream.broker().llen("audit") <= 2 * len(stream.tenants)
    nursery.worker(queues="audit")
    stream.settle()
    assert stream.violations() == []


def _turns(stream):
    (count,) = stream.database.execute("SELECT count(*) FROM tests_turn").fetchone()
    return count


def test_a_tenant_that_keeps_a_worker_busy_delays_no_other(stream, nursery, companies):
    """With one process for all: it goes on with others after each turn, in the middle of a batch.

    Each of some ten consumers may take a turn of a second first, so the slow ones have work for twice as long.
    """
    stream.note(companies.acme, *[f"slow 0.05 {n}" for n in range(400)])
    nursery.beat()
    nursery.worker(processes=1)
    begun = "SELECT try_count FROM events_consumer_cursor WHERE consumer = 'notes' AND tenant_id = %s"
    stream.await_that(lambda: stream.database.execute(begun, [companies.acme.id]).fetchone() > (0,))
    stream.note(companies.beta, "quick")
    stream.settle(seconds=180)
    assert stream.violations() == []
    moment = "SELECT max(written_at) FROM {}.tests_note WHERE text LIKE %s"
    (quick,) = stream.database.execute(moment.format(companies.beta.schema), ["quick"]).fetchone()
    (slow,) = stream.database.execute(moment.format(companies.acme.schema), ["slow 0.05%"]).fetchone()
    assert quick < slow


def test_a_suspended_tenant_waits_and_is_caught_up_when_it_is_back(stream, nursery, companies):
    from apps.identity import api as identity

    nursery.beat()
    nursery.worker()
    stream.note(companies.acme, "before")
    stream.settle()
    identity.suspend_tenant(tenant_id=companies.acme.id)
    stream.note(companies.acme, "meanwhile")
    stream.note(companies.beta, "others go on")
    stream.await_that(
        lambda: stream.position("notes", companies.beta) and stream.effects(companies.beta)[-1] == "others go on"
    )
    assert stream.effects(companies.acme)[-1] == "before"
    identity.activate_tenant(tenant_id=companies.acme.id)
    stream.settle()
    assert stream.effects(companies.acme)[-1] == "meanwhile"
    assert stream.violations() == []
