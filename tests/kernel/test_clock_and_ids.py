"""Time is read in one place and identifiers are made in one place."""

from datetime import UTC, datetime, timedelta

import pytest

from bitvault.kernel import clock, ids


def test_now_is_aware_and_in_utc():
    assert clock.now().utcoffset() == timedelta(0)


def test_the_clock_can_be_held():
    moment = datetime(2026, 2, 28, 12, tzinfo=UTC)
    with clock.fixed_at(moment):
        assert clock.now() == moment
        with clock.fixed_at(moment + timedelta(days=1)):
            assert clock.now() == moment + timedelta(days=1)
        assert clock.now() == moment
    assert clock.now() > moment


def test_the_clock_takes_no_moment_without_a_zone():
    with pytest.raises(ValueError, match="aware"), clock.fixed_at(datetime(2026, 2, 28)):  # noqa: DTZ001 - the fault under test
        pass


def test_ids_are_uuid7_and_rise():
    made = [ids.new_id() for _ in range(2000)]
    assert {one.version for one in made} == {7}
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_secrets_have_256_bits():
    made = {ids.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {43}
