"""Heartbeats: a silent clockwork shows, and of several that must be one, one at a time holds it."""

from datetime import timedelta

import pytest

from bitvault.events import heartbeats
from bitvault.events.models import Heartbeat
from bitvault.kernel import clock, ids

pytestmark = pytest.mark.committed


@pytest.fixture
def none_yet():
    Heartbeat.objects.all().delete()


def test_a_clockwork_that_never_ran_is_silent(none_yet):
    assert heartbeats.list_ages() == {"beat": None, "relay": None}
    assert heartbeats.list_silent() == ["beat", "relay"]


def test_a_clockwork_that_stops_is_silent_after_its_limit(none_yet):
    moment = clock.now()
    for name in heartbeats.SILENCE_LIMITS_SECONDS:
        heartbeats.take_turn(name, seconds=1)
    limit = max(heartbeats.SILENCE_LIMITS_SECONDS.values())
    assert heartbeats.list_silent() == []
    with clock.fixed_at(moment + timedelta(seconds=limit - 1)):
        assert heartbeats.list_silent() == []
    with clock.fixed_at(clock.now() + timedelta(seconds=limit + 1)):
        assert heartbeats.list_silent() == ["beat", "relay"]
        assert heartbeats.list_ages()["relay"] > limit


def test_one_holds_until_it_lets_go(none_yet):
    first, second = ids.new_id(), ids.new_id()
    assert heartbeats.hold("beat", holder=first)
    assert not heartbeats.hold("beat", holder=second)
    assert heartbeats.hold("beat", holder=first)
    heartbeats.let_go("beat", holder=second)
    assert not heartbeats.hold("beat", holder=second), "who does not hold it cannot give it away"
    heartbeats.let_go("beat", holder=first)
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
