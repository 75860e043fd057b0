"""Beat: however many run, one sends, and what it sends waits for nothing that another one wrote down."""

import time
from datetime import timedelta

import pytest
from celery import Celery
from celery.schedules import schedule

from bitvault.events import heartbeats
from bitvault.events.models import Heartbeat
from bitvault.gateway.beat import OneAtATime
from bitvault.kernel import db

pytestmark = pytest.mark.committed

MOMENT, HOUR = "tests.each_moment", "tests.each_hour"


@pytest.fixture
def make_beat():
    """Build a scheduler that keeps what it would send; a name stands for a process."""
    Heartbeat.objects.all().delete()
    made = []

    def make(name: str) -> OneAtATime:
        app = Celery(name, broker="memory://", set_as_current=False)
        app.conf.beat_schedule = {
            "each-moment": {"task": MOMENT, "schedule": schedule(0.001)},
            "each-hour": {"task": HOUR, "schedule": schedule(3600)},
        }
        beat = OneAtATime(app=app)
        beat.sent = []
        beat.apply_async = lambda entry, **_: beat.sent.append(entry.task)
        made.append(beat)
        return beat

    yield make
    for beat in made:
        beat.close()


def run(beat: OneAtATime, ticks: int = 6) -> int:
    """Let it tick and ask for the heartbeat each time; returns how much it sent."""
    before = len(beat.sent)
    for _ in range(ticks):
        beat._asked_at = float("-inf")
        beat.tick()
        time.sleep(0.002)
    return len(beat.sent) - before


def test_two_beats_send_what_one_sends(make_beat):
    first, second = make_beat("first"), make_beat("second")
    assert run(first)
    assert run(second) == 0
    assert run(first)


def test_a_beat_that_stops_is_followed_at_once(make_beat):
    first, second = make_beat("first"), make_beat("second")
    run(first)
    first.close()
    assert run(second)


def test_a_stop_that_meets_it_in_a_transaction_leaves_the_row_once_that_has_ended(make_beat, monkeypatch):
    first, second = make_beat("first"), make_beat("second")
    run(first)
    hold = heartbeats.hold

    def stopped_while_asking(name, *, holder):
        with db.public_transaction():
            first.close()  # as the handler of SIGTERM does, wherever it meets the process
            raise SystemExit

    monkeypatch.setattr(heartbeats, "hold", stopped_while_asking)
    with pytest.raises(SystemExit):
        run(first)
    first.close()
    monkeypatch.setattr(heartbeats, "hold", hold)
    assert run(second)


def test_a_beat_that_died_is_followed_when_its_lease_is_over(make_beat):
    first, second = make_beat("first"), make_beat("second")
    run(first)
    beaten_at = Heartbeat.objects.get(name="beat").beaten_at
    Heartbeat.objects.update(beaten_at=beaten_at - timedelta(seconds=heartbeats.LEASE_SECONDS + 1))
    assert run(second)
    assert run(first) == 0, "it was only stopped for a while, and must not send beside its follower"


def test_a_beat_that_cannot_ask_sends_nothing(make_beat, monkeypatch):
    from django.db import OperationalError

    def fail(*_, **__):
        raise OperationalError

    beat = make_beat("first")
    run(beat)
    monkeypatch.setattr(heartbeats, "hold", fail)
    assert run(beat) == 0
    monkeypatch.undo()
    assert run(beat)


def test_who_takes_over_sends_everything_once_and_then_keeps_the_intervals(make_beat):
    """However often the scheduler is restarted or changes hands, what is due each hour is not put off by another hour."""
    first, second = make_beat("first"), make_beat("second")
    run(first)
    run(second)
    assert (first.sent.count(HOUR), second.sent.count(HOUR)) == (1, 0)
    first.close()
    run(second)
    assert second.sent.count(HOUR) == 1
    assert second.sent.count(MOMENT) > 1


def test_the_product_runs_this_one():
    from bitvault.gateway.celery import app

    assert app.conf.beat_scheduler == "bitvault.gateway.beat:OneAtATime"
