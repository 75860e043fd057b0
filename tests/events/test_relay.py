"""The relay: whoever lags is called, once, and nothing depends on what the broker remembers."""

import os
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import F

from apps.identity import api as identity
from bitvault.events import consuming, cursors, nudges, relay
from bitvault.events.models import ConsumerCursor, Heartbeat, PausedConsumer
from bitvault.kernel import clock, hints, tenancy

pytestmark = pytest.mark.committed

PATIENCE_SECONDS = 20.0


def nobody_waits(queue):
    return 0


def end_turn() -> None:
    """Let the relay's turn be over by the database's clock."""
    Heartbeat.objects.update(beaten_at=F("beaten_at") - timedelta(seconds=1))


class Sent(list):
    """Stands where Celery's ``send_task`` does, and keeps what it was given."""

    def __call__(self, name, *, args, headers, queue, **options):
        self.append((name, args[0], headers["bitvault_tenant"], queue))


def test_only_a_consumer_that_lags_is_called_and_on_its_own_queue(acme, beta, reader, note):
    with tenancy.entered(acme):
        note("a")
    sent = Sent()
    assert relay.relay(sent, nobody_waits) == 1
    assert sent == [("events.consume", "tests", str(acme.id), "tests")]


def test_nobody_is_called_when_all_have_come_to_the_head(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
    assert relay.relay(Sent(), nobody_waits) == 0


def test_a_second_relay_in_the_same_turn_does_nothing(acme, reader, note, monkeypatch):
    monkeypatch.setattr(relay, "TURN_SECONDS", 60)
    with tenancy.entered(acme):
        note("a")
    first, second = Sent(), Sent()
    relay.relay(first, nobody_waits)
    relay.relay(second, nobody_waits)
    assert (len(first), len(second)) == (1, 0)


def test_a_queue_that_nobody_takes_from_does_not_grow(acme, beta, reader, note):
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            note("a")
    sent = Sent()
    for _ in range(5):
        relay.relay(sent, lambda _: len(sent))
        end_turn()
    assert len(sent) == 2


def test_a_suspended_tenant_is_called_when_it_is_back(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
    identity.suspend_tenant(tenant_id=acme.id)
    assert relay.relay(Sent(), nobody_waits) == 0
    identity.activate_tenant(tenant_id=acme.id)
    end_turn()
    assert relay.relay(Sent(), nobody_waits) == 1


def test_a_message_that_was_lost_is_sent_again_at_the_next_turn(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
    calls = 0
    for _ in range(3):
        calls += relay.relay(Sent(), nobody_waits)
        end_turn()
    assert calls == 3


def test_a_consumer_that_backs_off_is_left_alone_until_its_time(acme, reader, note):
    reader.refuses.add("a")
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
    retry_at = ConsumerCursor.objects.get(consumer="tests", tenant_id=acme.id).retry_at
    assert relay.relay(Sent(), nobody_waits) == 0
    end_turn()
    with clock.fixed_at(retry_at + timedelta(seconds=1)):
        assert relay.relay(Sent(), nobody_waits) == 1


def test_the_relay_leaves_a_heartbeat(reader):
    before = clock.now()
    relay.relay(Sent(), nobody_waits)
    assert (
        before - timedelta(seconds=1)
        < Heartbeat.objects.get(name="relay").beaten_at
        < clock.now() + timedelta(seconds=1)
    )


def test_a_paused_consumer_is_not_called(acme, reader, note):
    paused = PausedConsumer.objects.create(consumer="tests", reason="it hurts", paused_at=clock.now())
    with tenancy.entered(acme):
        note("a")
    assert relay.find_lagging() == []
    paused.delete()
    assert relay.find_lagging() == [("tests", acme.id)]


def test_five_hundred_tenants_cost_one_query(reader, django_assert_num_queries):
    with django_assert_num_queries(1):
        relay.find_lagging()


def test_a_commit_calls_its_consumers_once_until_they_have_taken_the_message(acme, reader, note, monkeypatch):
    sent = calls(monkeypatch)
    consuming.call_promptly("tests")
    with tenancy.entered(acme):
        nudges.admit("tests", acme.id)
        note("a")
        wait_for(lambda: len(sent) == 1)
        note("b")
        nudges.call_consumers(acme.id, ["tests"])
        assert len(sent) == 1
        nudges.admit("tests", acme.id)
        note("c")
        wait_for(lambda: len(sent) == 2)


def test_a_consumer_that_nobody_waits_for_is_left_to_the_relay(acme, reader, note, monkeypatch):
    sent = calls(monkeypatch)
    with tenancy.entered(acme):
        nudges.admit("tests", acme.id)
        note("a")
        time.sleep(5 * hints.LEAST_PAUSE_SECONDS)
        assert sent == []
        assert relay.relay(Sent(), nobody_waits) == 1


def test_whoever_waits_for_a_consumer_has_it_called(acme, reader, note, monkeypatch):
    sent = calls(monkeypatch)
    with tenancy.entered(acme):
        nudges.admit("tests", acme.id)
        note("a")
        assert cursors.wait_for("tests", 1, wait_ms=0) == 0
        assert sent == []
        assert cursors.wait_for("tests", 1, wait_ms=1) == 0
        wait_for(lambda: len(sent) == 1)


def test_a_rush_of_commits_is_called_for_in_batches(acme, monkeypatch):
    rounds, pauses = [], []

    def pause(seconds):
        pauses.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(nudges, "call_consumers", lambda *called: rounds.append(called))
    monkeypatch.setattr(hints, "time", SimpleNamespace(sleep=pause))
    started = time.monotonic()
    for _ in range(300):
        nudges.nudge(acme.id)
        time.sleep(0.001)
    time.sleep(2 * hints.LONGEST_PAUSE_SECONDS)
    # The pauses grow to the longest one within six rounds; a rush that takes longer on a busy machine is some rounds more.
    assert 1 <= len(rounds) <= 6 + (time.monotonic() - started) / hints.LONGEST_PAUSE_SECONDS
    # And the next one, which comes alone, keeps nobody waiting.
    wait_for(lambda: not nudges._hinter._remembered)
    time.sleep(2 * hints.LONGEST_PAUSE_SECONDS)
    before = len(pauses)
    nudges.nudge(acme.id)
    wait_for(lambda: len(pauses) > before)
    assert pauses[before] == hints.LEAST_PAUSE_SECONDS


def test_a_call_that_fails_leaves_the_next_one_to_be_made(acme, reader, note, monkeypatch):
    def fail(*args, **options):
        raise ValueError

    consuming.call_promptly("tests")
    with tenancy.entered(acme):
        monkeypatch.setattr(nudges, "current_app", SimpleNamespace(send_task=fail))
        nudges.admit("tests", acme.id)
        note("a")
        time.sleep(5 * hints.LEAST_PAUSE_SECONDS)
        sent = calls(monkeypatch)
        nudges.admit("tests", acme.id)
        note("b")
        wait_for(lambda: len(sent) == 1)


def test_a_forked_process_calls_too(acme):
    nudges.nudge(acme.id)
    child = os.fork()
    if child == 0:
        rounds = []
        nudges.call_consumers = lambda *called: rounds.append(called)
        nudges.nudge(acme.id)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not rounds and time.monotonic() < deadline:
            time.sleep(hints.LEAST_PAUSE_SECONDS)
        os._exit(0 if rounds else 1)
    assert os.waitpid(child, 0)[1] == 0


def calls(monkeypatch):
    sent = Sent()
    # In all threads: which app is the current one is a matter of each.
    monkeypatch.setattr(nudges, "current_app", SimpleNamespace(send_task=sent))
    return sent


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
