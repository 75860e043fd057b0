"""A consumer that comes later than a tenant reads the tenant's stream from its beginning."""

from datetime import timedelta

import pytest

from bitvault.events import consuming
from bitvault.events.cursors import ensure_cursors
from bitvault.events.models import ConsumerCursor, StreamEvent
from bitvault.kernel import clock, tenancy


def test_a_new_consumer_gets_a_cursor_and_reads_what_happened_before_it(reader, note, acme):
    with tenancy.entered(acme):
        note("old")
        ConsumerCursor.objects.all().delete()
        assert ensure_cursors() == 2
        assert ensure_cursors() == 0
        with clock.fixed_at(clock.now() + timedelta(days=2)):
            consuming.consume("tests")
        assert reader.effects() == ["old"]
        assert reader.position() == StreamEvent.objects.filter(tenant_id=acme.id).count()


def test_a_consumer_that_can_be_rebuilt_finds_out_that_the_whole_stream_before_it_is_dropped(reader, note, acme):
    consuming.rebuilds(consumer="tests")(lambda: 0)
    with tenancy.entered(acme):
        note("old", "older")
        drop(acme)
        with pytest.raises(consuming.Gap):
            consuming.consume("tests")
        assert reader.position() == 0


def test_a_consumer_that_cannot_be_rebuilt_goes_on_behind_what_is_dropped(reader, note, acme):
    with tenancy.entered(acme):
        last = note("old", "older")
        drop(acme)
        consuming.consume("tests")
        assert reader.position() == last
        note("new")
        consuming.consume("tests")
        assert reader.effects() == ["new"]


def test_a_hole_in_the_midst_is_a_gap(reader, note, acme):
    consuming.rebuilds(consumer="tests")(lambda: 0)
    with tenancy.entered(acme):
        last = note("a", "b", "c")
        drop(acme, seq=last - 1)
        with pytest.raises(consuming.Gap):
            consuming.consume("tests")
        assert reader.effects() == []


@pytest.mark.parametrize("backdated", [["a", "b", "c"], ["a"], ["b"], ["c"]], ids=" ".join)
def test_events_of_a_clock_that_went_back_for_days_are_no_gap_and_have_their_effect(reader, note, acme, backdated):
    consuming.rebuilds(consumer="tests")(lambda: 0)
    with tenancy.entered(acme):
        note("before")
        consuming.consume("tests")
        for text in ("a", "b", "c"):
            seq = note(text)
            if text in backdated:
                old = (
                    StreamEvent.objects.filter(tenant_id=acme.id, seq=seq).values_list("published_at", flat=True).get()
                )
                StreamEvent.objects.filter(tenant_id=acme.id, seq=seq).update(published_at=old - timedelta(days=3))
        assert consuming.consume("tests") == 3
        assert reader.effects() == ["before", "a", "b", "c"]


def drop(tenant, **which):
    StreamEvent.objects.filter(tenant_id=tenant.id, **which).delete()
