"""The operators' page of the stream: it shows what is behind and lets it be settled."""

from contextvars import copy_context
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bitvault.events import consuming, operating
from bitvault.events.models import ConsumerCursor, DeadLetter
from bitvault.gateway import stream_admin
from bitvault.jobs.models import Job
from bitvault.kernel import clock, tenancy
from tests.events.conftest import note, reader

__all__ = ["note", "reader"]

pytestmark = pytest.mark.committed

HOST = {"host": "admin.localhost"}
PAGE = "/admin/stream/act"
NAMES = ("audit", "billing", "gc", "sync")


@pytest.fixture
def operator(reader):
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers=HOST)
    client.force_login(user)
    return client


def test_the_page_shows_lag_and_errors(operator, acme, reader, note):
    reader.refuses.add("a")
    with tenancy.entered(acme):
        note("a", "b")
        consuming.consume("tests")
    page = operator.get("/admin/stream/").content.decode()
    assert "acme" in page
    assert "refused a" in page


def test_a_stuck_event_is_skipped_and_replayed_from_the_page(operator, acme, reader, note):
    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck", "fine")
        consuming.consume("tests")
    operator.post("/admin/stream/act", {"action": "skip", "tenant_id": acme.id, "consumer": "tests"})
    letter = DeadLetter.objects.get()
    reader.refuses.clear()
    operator.post("/admin/stream/act", {"action": "replay", "tenant_id": acme.id, "letter_id": letter.id})
    with tenancy.entered(acme):
        consuming.consume("tests")
        assert reader.effects() == ["stuck", "fine"]
    letter.refresh_from_db()
    assert letter.state == DeadLetter.State.REPLAYED


def test_a_replay_that_fails_says_so(operator, acme, reader, note):
    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck")
        consuming.consume("tests")
    operator.post("/admin/stream/act", {"action": "skip", "tenant_id": acme.id, "consumer": "tests"})
    act = {"action": "replay", "tenant_id": acme.id, "letter_id": DeadLetter.objects.get().id}
    page = operator.post("/admin/stream/act", act, follow=True).content.decode()
    assert "It failed again: ValueError: refused stuck" in page


def test_a_suspended_tenant_is_shown_as_such_and_offers_nothing(operator, acme, reader, note):
    from apps.identity import api as identity

    reader.refuses.add("stuck")
    with tenancy.entered(acme):
        note("stuck", "fine")
        consuming.consume("tests")
    operator.post(PAGE, {"action": "skip", "tenant_id": acme.id, "consumer": "tests"})
    identity.suspend_tenant(tenant_id=acme.id)
    rows = [row for row in operator.get("/admin/stream/").content.decode().split("<tr>") if "acme" in row]
    assert len(rows) == 2, "its cursor and its dead letter"
    for row in rows:
        assert "acme (suspended)" in row
        assert "<button" not in row


@pytest.fixture
def make_tenants():
    """Make tenants with a stream, without what else a tenant has; gives their slugs."""
    from apps.identity.models import Tenant
    from bitvault.events.api import open_stream
    from bitvault.kernel import clock, ids

    def make(count: int) -> list[str]:
        slugs = [f"many-{number:03d}" for number in range(count)]
        for slug in slugs:
            key = ids.new_id()
            Tenant.objects.create(id=key, slug=slug, name=slug, schema_name=f"t_{key.hex}", created_at=clock.now())
            open_stream(key)
        return slugs

    return make


def test_a_tenant_that_lags_nowhere_is_found_among_many(operator, acme, reader, note, make_tenants):
    slugs = make_tenants(2 * stream_admin.PAGE_LENGTH)
    with tenancy.entered(acme):
        note("a")
    first = operator.get("/admin/stream/").content.decode()
    assert first.count('name="consumer"') == stream_admin.PAGE_LENGTH
    assert first.index("acme") < first.index("many-")
    assert "Page 1 of 3 (202 in all)" in first
    pages = [operator.get("/admin/stream/", {"p": number}).content.decode() for number in (1, 2, 3)]
    assert all(sum(f"<td>{slug}</td>" in page for page in pages) == 1 for slug in slugs)
    found = operator.get("/admin/stream/", {"q": "many-150"}).content.decode()
    assert found.count('name="consumer"') == 1
    assert "<td>many-150</td>" in found
    assert "acme" not in found
    assert "No tenant has this in its slug" in operator.get("/admin/stream/", {"q": "nobody"}).content.decode()


def test_the_search_outlives_turning_a_page_and_an_act(operator, acme, reader, make_tenants):
    make_tenants(stream_admin.PAGE_LENGTH + 1)
    assert "?p=2&amp;q=many" in operator.get("/admin/stream/", {"q": "many"}).content.decode()
    act = {"action": "skip", "tenant_id": acme.id, "consumer": "tests"}
    assert operator.post(f"{PAGE}?q=ac", act)["Location"] == "/admin/stream/?q=ac"


def test_dead_letters_are_searched_and_shown_page_by_page(operator, acme, beta, reader, note, monkeypatch):
    reader.refuses |= {"a", "b", "c"}
    for tenant, texts in ((acme, "abc"), (beta, "a")):
        with tenancy.entered(tenant):
            note(*texts)
            for _ in texts:
                operating.skip_event(consumer="tests", by=None)
    monkeypatch.setattr(stream_admin, "PAGE_LENGTH", 2)
    found = operator.get("/admin/stream/", {"q": "acme", "letters": 2}).content.decode()
    assert "Page 2 of 2 (3 in all)" in found
    assert found.count('value="replay"') == 1


@pytest.mark.usefixtures("lasting_memory")
def test_the_page_costs_as_many_queries_for_many_tenants_as_for_few(operator, reader, make_tenants):
    with CaptureQueriesContext(connection) as few:
        operator.get("/admin/stream/")
    make_tenants(200)
    with CaptureQueriesContext(connection) as many:
        operator.get("/admin/stream/")
    assert len(many) == len(few)


@pytest.fixture
def product_operator(committed):
    """An operator before the product's own consumers; ``work()`` does the jobs that were asked for."""
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers=HOST)
    client.force_login(user)
    client.user_id = user.pk

    def work():
        """Do the jobs that were asked for, in a context of their own as a worker has."""
        from bitvault.jobs import running

        while copy_context().run(running.run_next, "bulk"):
            pass

    client.work = work
    return client


def test_a_rebuild_is_offered_where_there_is_one_and_refused_with_its_reason_elsewhere(product_operator, acme):
    page = product_operator.get("/admin/stream/").content.decode()
    rows = {consumer: row for row in page.split("<tr>") for consumer in NAMES if f'scope="row">{consumer}<' in row}
    assert {consumer for consumer, row in rows.items() if 'value="rebuild"' in row} == set(NAMES) - {"audit"}
    assert "entries are never written twice" in rows["audit"]
    act = {"action": "rebuild", "tenant_id": acme.id, "consumer": "audit"}
    assert "entries are never written twice" in product_operator.post(PAGE, act, follow=True).content.decode()
    for consumer in ("sync", "billing", "gc"):
        act["consumer"] = consumer
        assert f"The rebuild of {consumer} begins" in product_operator.post(PAGE, act, follow=True).content.decode()
        product_operator.work()
        cursor = ConsumerCursor.objects.get(consumer=consumer, tenant_id=acme.id)
        assert (cursor.rebuild_id is None, cursor.rebuilt_until, cursor.rebuild_error) == (False, None, "")


def test_a_rebuild_that_runs_or_has_failed_shows(product_operator, acme, monkeypatch):
    running = []

    def fail():
        running.extend(lag.consumer for lag in operating.list_lags(tenant_id=acme.id) if lag.is_being_rebuilt)
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(consuming.get_consumer("gc"), "rebuild", fail)
    product_operator.post(PAGE, {"action": "rebuild", "tenant_id": acme.id, "consumer": "gc"})
    product_operator.work()
    job = Job.objects.get()
    assert (job.state, job.created_by_id) == ("queued", product_operator.user_id)
    assert job.error == "ZeroDivisionError: no such luck"
    assert running == ["gc"]
    page = product_operator.get("/admin/stream/").content.decode()
    assert "The last rebuild failed: ZeroDivisionError: no such luck" in page
    assert "A rebuild runs." not in page
    ConsumerCursor.objects.filter(consumer="gc").update(rebuilt_until=clock.now() + timedelta(minutes=1))
    assert "A rebuild runs." in product_operator.get("/admin/stream/").content.decode()


def test_whatever_an_operator_does_stands_in_the_tenants_audit_log(product_operator, acme, actor):
    from apps.admin_platform.models import AuditEntry
    from apps.files import api as files
    from bitvault.kernel import db

    def do(action, **more):
        product_operator.post(PAGE, {"action": action, "tenant_id": acme.id, **more})

    with tenancy.entered(acme):
        root = files.ensure_personal_root(actor=actor)
        for name in ("a", "b"):
            files.create_folder(actor=actor, parent_id=root.id, name=name)
    for _ in range(2):
        do("skip", consumer="gc")
    first, second = DeadLetter.objects.filter(consumer="gc").order_by("seq")
    do("replay", letter_id=first.id)
    do("drop", letter_id=second.id)
    do("rebuild", consumer="gc")
    product_operator.work()
    with tenancy.entered(acme):
        consuming.consume("audit")
        with db.read_transaction():
            done = AuditEntry.objects.filter(actor_id=product_operator.user_id, type__startswith="events.")
            assert list(done.order_by("number").values_list("type", flat=True)) == [
                "events.event.skipped.v1",
                "events.event.skipped.v1",
                "events.dead_letter.replayed.v1",
                "events.dead_letter.dropped.v1",
                "events.derivation.rebuilt.v1",
            ]


def test_an_operator_pauses_a_consumer_and_lets_it_go_on_and_both_stand_in_the_journal(operator, acme, reader, note):
    from django.contrib.admin.models import LogEntry

    switch = "/admin/events/pausedconsumer/"
    assert operator.post(f"{switch}add/", {"consumer": "tests", "reason": "it hurts"}).status_code == 302
    with tenancy.entered(acme):
        note("a")
        assert consuming.consume("tests") == 0
    assert "tests is paused in all tenants: it hurts" in operator.get("/admin/stream/").content.decode()
    assert operator.post(f"{switch}tests/delete/", {"post": "yes"}).status_code == 302
    with tenancy.entered(acme):
        assert consuming.consume("tests") == 1
    assert "is paused" not in operator.get("/admin/stream/").content.decode()
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["tests: it hurts"] * 2


def test_nobody_but_operators_sees_it(acme, reader):
    answer = Client(headers=HOST).get("/admin/stream/")
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
    assert Client(headers={"host": "acme.localhost"}).get("/admin/stream/").status_code == 404


# --- commands ------------------------------------------------------------------------------------------------------------------


def test_a_command_rebuilds_the_tenants_that_are_named_or_all(committed, capsys):
    from django.core.management import call_command

    call_command("rebuild", "gc", "acme")
    assert capsys.readouterr().out.startswith("acme: rebuilt as of")
    call_command("rebuild", "billing")
    assert {line.split(":")[0] for line in capsys.readouterr().out.splitlines()} == {"acme", "beta"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["audit", "acme"], "entries are never written twice"),
        (["gc", "nobody"], "no active tenant nobody"),
        (["nothing"], "no consumer nothing"),
    ],
)
def test_the_command_says_what_it_cannot_do(committed, arguments, reason):
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match=reason):
        call_command("rebuild", *arguments)


def test_after_a_restore_no_cursor_of_a_device_fits_in_any_tenant(committed, make_actor):
    from django.core.management import call_command

    from apps.identity import api as identity
    from apps.sync import api as sync
    from apps.sync.errors import CursorExpired

    cursors = {}
    for name in ("mia", "boris"):
        actor = make_actor(name)
        with tenancy.entered(actor.tenant):
            device = sync.register_device(actor=actor, name="laptop", platform="linux")
            page = sync.list_snapshot(actor=actor, device_id=device.id)
            sync.list_changes(actor=actor, cursor=page.cursor)
            cursors[name] = (actor, page.cursor)
    identity.suspend_tenant(tenant_id=make_actor("boris").tenant.id)
    call_command("begin_epoch")
    for actor, cursor in cursors.values():
        with tenancy.entered(actor.tenant), pytest.raises(CursorExpired):
            sync.list_changes(actor=actor, cursor=cursor)
