"""What operators do: see the lag, replay, drop and skip."""

from datetime import timedelta

import pytest

from bitvault.events import consuming, operating
from bitvault.events.models import DeadLetter
from bitvault.kernel import clock, tenancy
from bitvault.kernel.errors import Conflict, NotFound

pytestmark = pytest.mark.committed


@pytest.fixture
def dead(acme, reader, note):
    """A dead letter of acme's, and its consumer behind it."""
    reader.refuses.add("poison")
    with tenancy.entered(acme):
        note("poison", "fine")
        moment = clock.now()
        for minutes in range(20):
            with clock.fixed_at(moment + timedelta(minutes=3 * minutes)):
                consuming.consume("tests")
        return DeadLetter.objects.get()


def test_the_lag_tells_rows_seconds_errors_and_dead_letters(acme, reader, note):
    reader.refuses.add("a")
    with tenancy.entered(acme):
        note("a", "b")
        consuming.consume("tests")
    with clock.fixed_at(clock.now() + timedelta(seconds=90)):
        lag = operating.list_lags(tenant_id=acme.id)[0]
        assert (lag.consumer, lag.head, lag.position, lag.row_count) == ("tests", 2, 0, 2)
        assert lag.seconds >= 89
    assert "refused a" in lag.last_error


def test_a_replayed_letter_has_its_effect_once(acme, reader, dead):
    reader.refuses.clear()
    with tenancy.entered(acme):
        operating.replay_dead_letter(letter_id=dead.id, by=None)
        assert reader.effects() == ["poison", "fine"]
        with pytest.raises(operating.DeadLetterSettled):
            operating.replay_dead_letter(letter_id=dead.id, by=None)
        assert reader.effects() == ["poison", "fine"]


def test_a_replay_that_fails_again_leaves_the_letter_waiting(acme, reader, dead):
    with tenancy.entered(acme), pytest.raises(ValueError, match="refused poison"):
        operating.replay_dead_letter(letter_id=dead.id, by=None)
    dead.refresh_from_db()
    assert dead.state == DeadLetter.State.DEAD


def test_a_dropped_letter_stays_without_effect(acme, reader, dead):
    with tenancy.entered(acme):
        operating.drop_dead_letter(letter_id=dead.id, by=None)
        assert reader.effects() == ["fine"]
        with pytest.raises(operating.DeadLetterSettled):
            operating.drop_dead_letter(letter_id=dead.id, by=None)


def test_a_letter_of_another_tenant_is_not_there(beta, dead):
    with tenancy.entered(beta), pytest.raises(NotFound):
        operating.drop_dead_letter(letter_id=dead.id, by=None)


def test_a_stuck_event_can_be_skipped_at_once(acme, reader, note):
    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck", "fine")
        consuming.consume("tests")
        assert operating.skip_event(consumer="tests", by=None) == 1
        consuming.consume("tests")
        assert reader.effects() == ["fine"]
        with pytest.raises(Conflict):
            operating.skip_event(consumer="tests", by=None)
