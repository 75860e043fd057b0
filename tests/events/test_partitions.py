"""Partitions: made ahead by day, dropped when nobody needs them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from bitvault.events import consuming, operating, partitions
from bitvault.kernel import clock, tenancy

pytestmark = pytest.mark.committed


def rows_of(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        return cursor.fetchone()[0]


def test_events_fall_into_the_partition_of_their_day(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
    assert rows_of(f"events_stream_event_{clock.now():%Y%m%d}") >= 1
    assert rows_of("events_stream_event_default") == 0


def test_a_week_is_always_made_ahead(reader):
    partitions.make_ahead()
    with clock.fixed_at(clock.now() + timedelta(days=3)):
        made = partitions.make_ahead()
        assert len(made) == 3
        assert partitions.make_ahead() == []


def test_a_day_past_the_retention_is_dropped_once_every_consumer_is_past_it(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
    today = f"events_stream_event_{clock.now():%Y%m%d}"
    later = clock.now() + partitions.RETENTION + timedelta(days=2)
    with clock.fixed_at(later):
        assert today not in partitions.drop_old()
    with tenancy.entered(acme):
        consuming.consume("tests")
    with clock.fixed_at(later):
        assert today in partitions.drop_old()
    assert clock.now().date() not in partitions.list_days()


def test_a_day_inside_the_retention_stays(acme, reader, note):
    with clock.fixed_at(clock.now() + partitions.RETENTION - timedelta(days=2)):
        assert partitions.drop_old() == []


# --- rows in the default partition ---------------------------------------------------------------------------------------------


@pytest.fixture
def stood_still(acme, reader, note):
    """A scheduler that made no day for a week and longer: what was published today lies in the default partition."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE bitvault_owner")
        for day in partitions.list_days():
            cursor.execute(f"DROP TABLE events_stream_event_{day:%Y%m%d}")
        cursor.execute("RESET ROLE")
    with tenancy.entered(acme):
        note("a", "b", "c")
    assert rows_of("events_stream_event_default") == 3
    assert operating.count_days_ahead() == 0


def test_after_a_stand_still_rows_move_from_the_default_partition_into_their_day(stood_still, acme, reader, note):
    assert len(partitions.make_ahead()) == 1 + partitions.DAYS_AHEAD
    today = f"events_stream_event_{clock.now():%Y%m%d}"
    assert (rows_of(today), rows_of("events_stream_event_default")) == (3, 0)
    assert operating.count_days_ahead() == partitions.DAYS_AHEAD
    with tenancy.entered(acme):
        note("d")
        consuming.consume("tests")
        assert reader.effects() == ["a", "b", "c", "d"]
    assert rows_of(today) == 4
    with clock.fixed_at(clock.now() + partitions.RETENTION + timedelta(days=2)):
        assert today in partitions.drop_old()


def test_who_writes_while_rows_move_is_not_refused(stood_still, acme, reader, note):
    stop = threading.Event()

    def write() -> int:
        try:
            count = 0
            with tenancy.entered(acme):
                while not stop.is_set():
                    note(f"n{count}")
                    count += 1
            return count
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write) for _ in range(4)]
        time.sleep(0.3)
        try:
            made = partitions.make_ahead()
            time.sleep(0.1)
        finally:
            stop.set()
        written = sum(one.result(30) for one in writing)
    assert len(made) == 1 + partitions.DAYS_AHEAD
    assert rows_of("events_stream_event_default") == 0
    with tenancy.entered(acme):
        consuming.consume("tests")
        assert reader.position() == 3 + written
        assert len(reader.effects()) == 3 + written


def test_a_day_that_fails_keeps_no_other_from_being_made(stood_still, reader):
    taken = (clock.now() + timedelta(days=2)).date()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE bitvault_owner")
        cursor.execute(f"CREATE TABLE events_stream_event_{taken:%Y%m%d} (in_the_way int)")
        cursor.execute("RESET ROLE")
    made = partitions.make_ahead()
    assert len(made) == partitions.DAYS_AHEAD
    assert taken not in partitions.list_days()
    assert operating.count_days_ahead() == 1, "an alarm counts up to the first hole"


def test_rows_that_never_had_a_day_leave_once_they_are_read_and_past_the_retention(stood_still, acme, reader):
    later = clock.now() + partitions.RETENTION + timedelta(days=2)
    with clock.fixed_at(later):
        partitions.drop_old()
        assert rows_of("events_stream_event_default") == 3
    with tenancy.entered(acme):
        consuming.consume("tests")
        partitions.drop_old()
        assert rows_of("events_stream_event_default") == 3
    with clock.fixed_at(later):
        partitions.drop_old()
        assert rows_of("events_stream_event_default") == 0
