"""A suspended tenant's stream waits: it alarms nobody, holds nobody's days, and is whole when the tenant is back."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.admin_platform.models import AuditEntry
from apps.files import api as files
from apps.identity import api as identity
from apps.sync.models import Node
from bitvault.events import consuming, operating, partitions
from bitvault.events.models import ConsumerCursor, DeadLetter, StreamEvent
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.tasks import select_present

pytestmark = pytest.mark.committed

LATER = partitions.RETENTION + timedelta(days=2)
DEFAULT = "events_stream_event_default"


def rows_of(name: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tenant_id, seq FROM {name} ORDER BY tenant_id, seq")
        return cursor.fetchall()


def drop_days() -> list[str]:
    with clock.fixed_at(clock.now() + LATER):
        return partitions.drop_old()


def test_what_waits_for_a_suspended_tenant_is_no_backlog(acme, beta, reader, note):
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            note("a")
            consuming.consume("tests")
    with tenancy.entered(beta):
        note("late")
    identity.suspend_tenant(tenant_id=acme.id)
    with clock.fixed_at(clock.now() + timedelta(hours=2)):
        (backlog,) = operating.list_backlogs()
    assert (backlog.tenant_count, backlog.row_count, backlog.deepest_row_count) == (1, 1, 1)
    with tenancy.entered(beta):
        consuming.consume("tests")
    with clock.fixed_at(clock.now() + timedelta(hours=2)):
        (backlog,) = operating.list_backlogs()
        assert (backlog.tenant_count, backlog.row_count, backlog.deepest_row_count, backlog.seconds) == (0, 0, 0, 0)
        identity.activate_tenant(tenant_id=acme.id)
        (backlog,) = operating.list_backlogs()
    assert (backlog.tenant_count, backlog.row_count) == (1, 2)
    assert backlog.seconds > 7000


def test_a_dead_letter_of_a_suspended_tenant_waits_without_a_ticket(acme, reader, note):
    reader.refuses.add("poison")
    with tenancy.entered(acme):
        note("poison")
        consuming.consume("tests")
        operating.skip_event(consumer="tests", by=None)
    identity.suspend_tenant(tenant_id=acme.id)
    assert operating.list_backlogs()[0].dead_letter_count == 0
    identity.activate_tenant(tenant_id=acme.id)
    assert operating.list_backlogs()[0].dead_letter_count == 1


def test_backlogs_cost_three_queries_however_many_tenants_lag(acme, beta, reader, note, django_assert_num_queries):
    with tenancy.entered(acme):
        note("a")
    with django_assert_num_queries(3):
        operating.list_backlogs()
    with tenancy.entered(beta):
        note("a", "b")
    with django_assert_num_queries(3):
        operating.list_backlogs()


def test_suspended_tenants_come_last_however_far_behind_they_are(acme, beta, reader, note):
    with tenancy.entered(acme):
        note("a", "b", "c")
    identity.suspend_tenant(tenant_id=acme.id)
    lags = operating.list_lags()
    assert [(lag.tenant_id, lag.is_suspended, lag.row_count) for lag in lags] == [
        (beta.id, False, 0),
        (acme.id, True, 4),
    ]
    assert operating.list_lags(tenant_id=acme.id)[0].is_suspended


def test_a_suspended_tenant_keeps_no_day_and_loses_no_event(acme, beta, reader, note):
    today = f"events_stream_event_{clock.now():%Y%m%d}"
    with tenancy.entered(acme):
        note("read")
        consuming.consume("tests")
        note("a", "b")
    identity.suspend_tenant(tenant_id=acme.id)
    with tenancy.entered(beta):
        note("of another")
    assert today not in drop_days(), "an active tenant's consumer has to read it"
    with tenancy.entered(beta):
        consuming.consume("tests")
    assert today in drop_days()
    assert rows_of(DEFAULT) == [(acme.id, 2), (acme.id, 3), (acme.id, 4)]
    drop_days()
    assert rows_of(DEFAULT) == [(acme.id, 2), (acme.id, 3), (acme.id, 4)]
    identity.activate_tenant(tenant_id=acme.id)
    with tenancy.entered(acme):
        consuming.consume("tests")
        assert reader.effects() == ["read", "a", "b"]
        assert reader.position() == 5
    drop_days()
    assert rows_of(DEFAULT) == []


def test_a_day_that_is_needed_keeps_no_later_day(acme, reader, note):
    """A later day of the same stream is needed too; what others have read of it is not."""
    with tenancy.entered(acme):
        note("a")
    with clock.fixed_at(clock.now() + LATER + timedelta(days=3)):
        dropped = partitions.drop_old()
    today = clock.now()
    assert f"events_stream_event_{today:%Y%m%d}" not in dropped
    assert f"events_stream_event_{today + timedelta(days=1):%Y%m%d}" in dropped


def test_who_reads_a_day_while_it_is_dropped_loses_nothing(acme, reader, note, monkeypatch):
    """The tenant is back just after it was seen suspended."""
    with tenancy.entered(acme):
        note("a")
    identity.suspend_tenant(tenant_id=acme.id)

    def see_and_be_late(tenant_ids):
        seen = select_present(tenant_ids)
        if tenant_ids:
            identity.activate_tenant(tenant_id=acme.id)
        return seen

    monkeypatch.setattr(partitions, "select_present", see_and_be_late)
    assert f"events_stream_event_{clock.now():%Y%m%d}" in drop_days()
    with tenancy.entered(acme):
        consuming.consume("tests")
        assert reader.effects() == ["a"]


def test_after_a_suspension_past_the_retention_log_and_replica_are_whole(committed, acme, actor):
    """Suspended with events that nobody had read, their day dropped, and back."""
    with tenancy.entered(acme):
        root = files.ensure_personal_root(actor=actor)
        first = files.create_folder(actor=actor, parent_id=root.id, name="first")
        for name in consuming.list_consumers():
            consuming.consume(name)
        files.update_node(actor=actor, node_id=first.id, name="renamed", expected_revision="any")
        files.create_folder(actor=actor, parent_id=first.id, name="second")
    identity.suspend_tenant(tenant_id=acme.id)
    events = list(StreamEvent.objects.filter(tenant_id=acme.id).order_by("seq").values_list("seq", "type"))
    assert f"events_stream_event_{clock.now():%Y%m%d}" in drop_days()
    identity.activate_tenant(tenant_id=acme.id)
    with tenancy.entered(acme):
        for name in consuming.list_consumers():
            consuming.consume(name)  # and no Gap
        assert not DeadLetter.objects.exists()
        head = events[-1][0] + 1
        assert set(ConsumerCursor.objects.filter(tenant_id=acme.id).values_list("seq", flat=True)) == {head}
        with db.read_transaction():
            entries = list(AuditEntry.objects.order_by("number").values_list("seq", "type"))
            names = set(Node.objects.values_list("name", flat=True))
    assert entries == [*events, (head, "identity.tenant.activated.v1")]
    assert {"renamed", "second"} <= names
    assert "first" not in names
