from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC),
        datetime(2026, 11, 23, 12, 0, 0, 120, tzinfo=UTC),
        datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC),
        datetime(2026, 7, 1, 0, 0, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(1601, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_a_moment_comes_back_as_it_was_and_in_utc(db, moment):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [moment])
        (found,) = cursor.fetchone()
    assert found == moment
    assert found.tzinfo is UTC


def test_nothing_comes_back_as_nothing(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT NULL::timestamptz, ARRAY['2026-11-23 12:00+01'::timestamptz]")
        assert cursor.fetchone() == (None, [datetime(2026, 11, 23, 11, 0, tzinfo=UTC)])
