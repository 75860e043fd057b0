"""A consumer that comes later than a tenant reads the tenant's stream from its beginning."""

from datetime import timedelta

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
