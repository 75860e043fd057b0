"""Heartbeats: a silent scheduler shows, and of several that must be one, one at a time holds it."""

from datetime import timedelta

import pytest
from django.db.models import F

from bitvault.events import heartbeats
from bitvault.events.models import Heartbeat
from bitvault.kernel import clock, ids

pytestmark = pytest.mark.committed


@pytest.fixture
def none_yet():
    Heartbeat.objects.all().delete()


def test_a_scheduler_that_never_ran_is_silent(none_yet):
    assert heartbeats.list_ages() == {"beat": None, "relay": None}
    assert heartbeats.list_silent() == ["beat", "relay"]


def let_pass(seconds: float) -> None:
    """Let every heartbeat be older by the database's clock."""
    Heartbeat.objects.update(beaten_at=F("beaten_at") - timedelta(seconds=seconds))


def test_a_scheduler_that_stops_is_silent_after_its_limit(none_yet):
    for name in heartbeats.SILENCE_LIMITS_SECONDS:
        heartbeats.take_turn(name, seconds=1)
    limit = max(heartbeats.SILENCE_LIMITS_SECONDS.values())
    assert heartbeats.list_silent() == []
    let_pass(limit - 3)
    assert heartbeats.list_silent() == []
    let_pass(4)
    assert heartbeats.list_silent() == ["beat", "relay"]
    assert heartbeats.list_ages()["relay"] > limit


def test_a_turn_is_taken_once_in_its_time(none_yet):
    assert heartbeats.take_turn("relay", seconds=30)
    assert not heartbeats.take_turn("relay", seconds=30)
    let_pass(29)
    assert heartbeats.take_turn("relay", seconds=29)


def test_a_machine_whose_clock_is_wrong_neither_takes_a_turn_nor_keeps_it_from_others(none_yet):
    with clock.fixed_at(clock.now() + timedelta(minutes=10)):
        assert heartbeats.take_turn("relay", seconds=30)
        assert heartbeats.list_ages()["relay"] < 10, "its own clock makes nobody silent"
    let_pass(31)
    assert heartbeats.list_silent() == ["beat", "relay"]
    assert heartbeats.take_turn("relay", seconds=30)
    with clock.fixed_at(clock.now() + timedelta(minutes=10)):
        assert not heartbeats.take_turn("relay", seconds=30)


def test_a_database_whose_clock_went_back_keeps_no_turn_from_anybody(none_yet):
    """Another machine took over, or a version before this one wrote by its own clock: a heartbeat lies ahead."""
    heartbeats.take_turn("relay", seconds=1)
    heartbeats.hold("beat", holder=ids.new_id())
    let_pass(-600)
    assert heartbeats.list_silent() == ["beat", "relay"]
    assert heartbeats.take_turn("relay", seconds=1)
    assert heartbeats.hold("beat", holder=ids.new_id())
    assert heartbeats.list_silent() == []


def test_one_holds_until_it_lets_go(none_yet):
    first, second = ids.new_id(), ids.new_id()
    assert heartbeats.hold("beat", holder=first)
    assert not heartbeats.hold("beat", holder=second)
    assert heartbeats.hold("beat", holder=first)
    heartbeats.release("beat", holder=second)
    assert not heartbeats.hold("beat", holder=second), "who does not hold it cannot give it away"
    heartbeats.release("beat", holder=first)
    assert heartbeats.hold("beat", holder=second)


def test_a_holder_that_says_nothing_more_is_followed(none_yet):
    first, second = ids.new_id(), ids.new_id()
    heartbeats.hold("beat", holder=first)
    beaten_at = Heartbeat.objects.get(name="beat").beaten_at
    Heartbeat.objects.update(beaten_at=beaten_at - timedelta(seconds=heartbeats.LEASE_SECONDS - 2))
    assert not heartbeats.hold("beat", holder=second)
    Heartbeat.objects.update(beaten_at=beaten_at - timedelta(seconds=heartbeats.LEASE_SECONDS + 1))
    assert heartbeats.hold("beat", holder=second)
    assert not heartbeats.hold("beat", holder=first), "it finds out that it was followed"


def test_a_clock_that_runs_ahead_takes_nothing_from_the_holder(none_yet):
    heartbeats.hold("beat", holder=ids.new_id())
    with clock.fixed_at(clock.now() + timedelta(hours=1)):
        assert not heartbeats.hold("beat", holder=ids.new_id())
