"""What operators do: see the lag, replay, drop, skip and rebuild."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.files import api as files
from bitvault.events import consuming, operating
from bitvault.events.catalog.events import DerivationRebuilt, EventSkipped
from bitvault.events.models import ConsumerCursor, DeadLetter, StreamEvent
from bitvault.kernel import clock, db, ids, tenancy
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


def test_a_skip_of_an_event_that_has_its_effect_meanwhile_is_refused_and_tells_nobody(acme, reader, note):
    acts, goes_on = threading.Event(), threading.Event()

    def hold_up(event):
        acts.set()
        goes_on.wait(10)

    reader.before.append(hold_up)

    def consume():
        try:
            with tenancy.entered(acme):
                return consuming.consume("tests")
        finally:
            connection.close()

    def skip():
        try:
            with tenancy.entered(acme):
                operating.skip_event(consumer="tests", by=None)
        finally:
            connection.close()

    with tenancy.entered(acme):
        note("slow")
    with ThreadPoolExecutor(2) as pool:
        consuming_it = pool.submit(consume)
        assert acts.wait(10)
        skipping = pool.submit(skip)
        wait_until_locked()
        goes_on.set()
        assert consuming_it.result(10) == 1
        with pytest.raises(Conflict, match="Nothing was skipped"):
            skipping.result(10)
    with tenancy.entered(acme):
        assert reader.effects() == ["slow"]
    assert not DeadLetter.objects.exists()
    assert not StreamEvent.objects.filter(type=EventSkipped.type).exists()


def wait_until_locked() -> None:
    """Wait until somebody waits for a row."""
    deadline = clock.now() + timedelta(seconds=10)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connection.cursor() as cursor:
        while clock.now() < deadline:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited")


def test_a_skip_and_what_tells_of_it_are_one_transaction(acme, reader, note, monkeypatch):
    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck")
        consuming.consume("tests")
        with monkeypatch.context() as broken:
            broken.setattr(operating, "publish", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                operating.skip_event(consumer="tests", by=None)
        assert reader.position() == 0
        assert not DeadLetter.objects.exists()
        operating.skip_event(consumer="tests", by=None)
        assert xmin_of_cursor(acme, "tests") == xmin_of_event(acme, EventSkipped.type)


@pytest.mark.parametrize("consumer", ["sync", "billing", "gc"])
def test_a_rebuild_is_told_in_the_transaction_that_swaps(committed, acme, actor, consumer):
    operator = ids.new_id()
    with tenancy.entered(acme):
        root = files.ensure_personal_root(actor=actor)
        files.create_folder(actor=actor, parent_id=root.id, name="a")
        seq = operating.rebuild(consumer=consumer, by=operator)
    told = StreamEvent.objects.get(type=DerivationRebuilt.type)
    assert (told.actor_id, told.payload["consumer"], told.payload["seq"]) == (operator, consumer, seq)
    assert xmin_of_cursor(acme, consumer) == xmin_of_event(acme, DerivationRebuilt.type)


def xmin_of_cursor(tenant, consumer: str) -> str:
    """Tell which transaction wrote a consumer's cursor last."""
    found = ConsumerCursor.objects.filter(tenant_id=tenant.id, consumer=consumer)
    return found.extra(select={"by": "xmin::text"}).values_list("by", flat=True).get()


def xmin_of_event(tenant, event_type: str) -> str:
    """Tell which transaction wrote the one event of a type."""
    found = StreamEvent.objects.filter(tenant_id=tenant.id, type=event_type)
    return found.extra(select={"by": "xmin::text"}).values_list("by", flat=True).get()


# --- gaps ----------------------------------------------------------------------------------------------------------------------


class Slow:
    """A rebuild of the tests' own consumer that begins, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.ends, self.fails = threading.Semaphore(0), threading.Event(), False
        self.count = 0
        consuming.get_consumer("tests").rebuild = self.run

    def run(self) -> int:
        self.count += 1
        self.begun.release()
        assert self.ends.wait(20)
        if self.fails:
            raise ZeroDivisionError
        with db.write_transaction():
            operating.set_position(consumer="tests", seq=2)
        return 2


@pytest.fixture
def slow(acme, reader, note, monkeypatch):
    """A rebuild that takes longer than the pause, in a stream whose first event is dropped."""
    monkeypatch.setattr(operating, "REBUILD_PAUSE", timedelta(seconds=3))
    monkeypatch.setattr(operating, "RENEW_SECONDS", 0.1)
    with tenancy.entered(acme):
        note("dropped", "a")
    StreamEvent.objects.filter(tenant_id=acme.id, seq=1).delete()
    return Slow()


def elsewhere(pool, tenant, act, **how):
    def run():
        try:
            with tenancy.entered(tenant):
                return act(consumer="tests", **how)
        finally:
            connection.close()

    return pool.submit(run)


@pytest.mark.parametrize("begin", [(operating.close_gap, {}), (operating.rebuild, {"by": None})])
def test_a_gap_waits_for_a_rebuild_that_runs_longer_than_the_pause(acme, slow, begin):
    act, how = begin
    with ThreadPoolExecutor(1) as pool:
        first = elsewhere(pool, acme, act, **how)
        assert slow.begun.acquire(timeout=10)
        time.sleep(operating.REBUILD_PAUSE.total_seconds() + 0.2)
        with tenancy.entered(acme):
            assert operating.close_gap(consumer="tests") is None
        cursor = ConsumerCursor.objects.get(consumer="tests", tenant_id=acme.id)
        assert cursor.try_count == 0
        assert cursor.retry_at > clock.now(), "who stands back is not called each second"
        slow.ends.set()
        assert first.result(10) == 2
    assert slow.count == 1
    assert ConsumerCursor.objects.get(consumer="tests", tenant_id=acme.id).seq == 2


def test_an_operators_rebuild_overtakes_one_that_began_by_itself(acme, slow):
    with ThreadPoolExecutor(2) as pool:
        first = elsewhere(pool, acme, operating.close_gap)
        assert slow.begun.acquire(timeout=10)
        second = elsewhere(pool, acme, operating.rebuild, by=None)
        assert slow.begun.acquire(timeout=10)
        slow.ends.set()
        assert second.result(10) == 2
        with pytest.raises(operating.RebuildOvertaken):
            first.result(10)


def test_a_rebuild_that_failed_keeps_the_next_one_from_nothing(acme, slow):
    slow.fails = True
    slow.ends.set()
    with tenancy.entered(acme):
        with pytest.raises(ZeroDivisionError):
            operating.close_gap(consumer="tests")
        slow.fails = False
        assert operating.close_gap(consumer="tests") == 2


def test_a_rebuild_whose_worker_died_is_begun_again_after_the_pause(acme, slow):
    """It says nothing more, and did not end either."""
    slow.ends.set()
    mine = ConsumerCursor.objects.filter(consumer="tests", tenant_id=acme.id)
    mine.update(rebuild_id=ids.new_id(), rebuilt_until=clock.now() + timedelta(minutes=1))
    with tenancy.entered(acme):
        assert operating.close_gap(consumer="tests") is None
        mine.update(rebuilt_until=clock.now() - timedelta(seconds=1))
        assert operating.close_gap(consumer="tests") == 2
    assert mine.get().rebuilt_until is None
