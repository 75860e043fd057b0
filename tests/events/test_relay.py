"""The relay: whoever lags is called, once, and nothing depends on what the broker remembers."""

from datetime import timedelta

import pytest

from bitvault.events import consuming, relay
from bitvault.events.models import ConsumerCursor, Heartbeat
from bitvault.kernel import clock, tenancy

pytestmark = pytest.mark.committed


class Sent(list):
    """Stands where Celery's ``send_task`` does, and keeps what it was given."""

    def __call__(self, name, *, args, headers, queue, **options):
        self.append((name, args[0], headers["bitvault_tenant"], queue))


def test_only_a_consumer_that_lags_is_called_and_on_its_own_queue(acme, beta, reader, note):
    with tenancy.entered(acme):
        note("a")
    sent = Sent()
    assert relay.relay(sent) == 1
    assert sent == [("events.consume", "tests", str(acme.id), "tests")]


def test_nobody_is_called_when_all_have_come_to_the_head(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
    assert relay.relay(Sent()) == 0


def test_a_second_relay_in_the_same_moment_does_nothing(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
    first, second = Sent(), Sent()
    relay.relay(first)
    relay.relay(second)
    assert (len(first), len(second)) == (1, 0)


def test_a_message_that_was_lost_is_sent_again_at_the_next_turn(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
    moment = clock.now()
    calls = 0
    for second in range(3):
        with clock.fixed_at(moment + timedelta(seconds=second)):
            calls += relay.relay(Sent())
    assert calls == 3


def test_a_consumer_that_backs_off_is_left_alone_until_its_time(acme, reader, note):
    reader.refuses.add("a")
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
    retry_at = ConsumerCursor.objects.get(consumer="tests", tenant_id=acme.id).retry_at
    assert relay.relay(Sent()) == 0
    with clock.fixed_at(retry_at + timedelta(seconds=1)):
        assert relay.relay(Sent()) == 1


def test_the_relay_leaves_a_heartbeat(reader):
    moment = clock.now()
    with clock.fixed_at(moment):
        relay.relay(Sent())
    assert Heartbeat.objects.get(name="relay").beaten_at == moment


def test_five_hundred_tenants_cost_one_query(reader, django_assert_num_queries):
    with django_assert_num_queries(1):
        relay.find_lagging()


def test_a_commit_calls_its_consumers_once_until_they_have_taken_the_message(acme, reader, note, monkeypatch):
    from bitvault.events import nudges

    sent = Sent()
    monkeypatch.setattr(nudges.current_app, "send_task", sent, raising=False)
    with tenancy.entered(acme):
        nudges.admit("tests", acme.id)
        note("a")
        note("b")
        assert len(sent) == 1
        nudges.admit("tests", acme.id)
        note("c")
        assert len(sent) == 2
