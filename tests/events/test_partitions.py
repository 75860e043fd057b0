"""Partitions: made ahead by day, dropped when nobody needs them."""

from datetime import timedelta

import pytest
from django.db import connection

from bitvault.events import consuming, partitions
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
