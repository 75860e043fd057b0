"""The operators' overview: figures of everything, whatever is dead, in a number of queries that does not grow; and the list of tenants."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.billing import api as billing
from apps.billing import models, noting
from apps.billing.api import noted
from apps.identity.models import Tenant, User
from bitvault.events.models import DeadLetter
from bitvault.gateway import overview, overview_admin, traffic
from bitvault.gateway.readiness import Readiness
from bitvault.jobs.models import Job
from bitvault.kernel import clock, ids, tenancy

pytestmark = pytest.mark.committed


@pytest.fixture
def operator():
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password"))
    return client


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing is kept between two questions of a test."""
    monkeypatch.setattr(overview, "figures", Readiness(overview.CHECKS, keep_seconds=0, deadline_seconds=20))


def found_many_tenants(count):
    Tenant.objects.bulk_create(
        Tenant(
            slug=f"many-{n}", name=f"Many {n}", schema_name=f"t_{n:032x}", schema_version="1", created_at=clock.now()
        )
        for n in range(count)
    )


def count_queries(ask):
    with CaptureQueriesContext(connection) as caught:
        ask()
    return len(caught)


@pytest.mark.store
def test_the_index_shows_what_there_is(operator, acme, beta):
    with tenancy.entered(acme):
        noting.note_room()
    page = operator.get("/admin/").content.decode()
    assert "Everything answers" not in page  # no scheduler runs in this test
    assert "The scheduler “beat” is silent." in page
    for title in ("Tenants", "Room", "Requests", "Event stream", "Jobs", "Mail", "Object store", "Disks", "Backup"):
        assert title in page
    assert "no answer" not in page
    # What the open page asks for has the same, without the frame.
    part = operator.get("/admin/figures").content.decode()
    assert "The scheduler “beat” is silent." in part
    assert "<html" not in part


def test_a_store_that_hangs_shows_as_such_and_holds_nothing_else_up(operator, acme, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(overview.storage, "require_store", lambda: ended.wait(60))
    monkeypatch.setattr(overview, "figures", Readiness(overview.CHECKS, deadline_seconds=3))
    try:
        page = operator.get("/admin/figures").content.decode()
    finally:
        ended.set()
    assert "The object store does not answer in time" in page
    assert "The database does not answer" not in page
    assert page.count("no answer") == 1


def test_a_database_that_fails_for_the_figures_shows_as_such(operator, acme, monkeypatch):
    monkeypatch.setattr(overview.jobs, "list_backlogs", lambda: 1 / 0)
    page = operator.get("/admin/figures").content.decode()
    assert "The database does not answer in time" in page
    assert "free here" in page


def test_what_is_late_given_up_or_stopped_is_listed(operator, acme):
    now = clock.now()
    Job.objects.create(
        id=ids.new_id(), kind="mail.send", lane="jobs", key="a", payload={}, created_by_kind="system", created_at=now,
        run_at=now - timedelta(minutes=5),
    )  # fmt: skip
    DeadLetter.objects.create(
        consumer="audit", tenant_id=acme.id, seq=1, type="x", error="y", try_count=1, died_at=now, state="dead"
    )
    page = operator.get("/admin/figures").content.decode()
    assert "Jobs wait for a worker." in page
    assert "Dead letters wait for a decision." in page
    assert "5 min" in page


@pytest.mark.store
def test_the_number_of_queries_does_not_grow_with_tenants(acme):
    overview._ask_database()
    before = count_queries(overview._ask_database)
    found_many_tenants(30)
    assert count_queries(overview._ask_database) == before


def test_nobody_but_operators_reads_it(acme):
    assert Client(headers={"host": "admin.localhost"}).get("/admin/figures").status_code == 302


def test_rates_are_told_between_two_readings():
    before = traffic.Reading(10.0, 100, 1, [(0.01, 90.0), (0.1, 100.0), (float("inf"), 100.0)])
    now = traffic.Reading(20.0, 200, 6, [(0.01, 140.0), (0.1, 190.0), (float("inf"), 200.0)])
    found = traffic.compare(before, now)
    assert (found.requests_per_second, found.failed_per_second, found.failed_percent) == (10.0, 0.5, 5.0)
    assert found.median_seconds == pytest.approx(0.01)
    assert found.p95_seconds == pytest.approx(0.1)
    assert traffic.compare(now, traffic.Reading(30.0, 200, 6, now.buckets)).p95_seconds is None


def test_a_meter_begins_anew_when_its_processes_do(monkeypatch):
    readings = iter([traffic.Reading(0.0, 50, 0, []), traffic.Reading(5.0, 60, 0, []), traffic.Reading(9.0, 3, 0, [])])
    monkeypatch.setattr(traffic, "read_counters", lambda: next(readings))
    meter = traffic.Meter()
    assert meter.read() is None
    assert meter.read().requests_per_second == 2.0
    assert meter.read() is None


def test_requests_of_this_process_are_counted(operator, acme):
    operator.get("/admin/figures")
    before = traffic.read_counters()
    operator.get("/admin/figures")
    after = traffic.read_counters()
    assert after.count == before.count + 1
    assert after.buckets[-1][1] == before.buckets[-1][1] + 1


# --- the list of tenants ------------------------------------------------------------------------------------------------------


def test_tenants_are_listed_with_plan_room_people_and_troubles(operator, acme, beta):
    models.Plan.objects.create(slug="team", name="Team", limit_bytes=5 * 1024**3)
    with tenancy.entered(acme):
        billing.set_quota(plan="team")
    models.TenantRoom.objects.filter(tenant_id=acme.id).update(used_bytes=6 * 1024**3)
    Job.objects.create(
        id=ids.new_id(), tenant_id=beta.id, kind="mail.send", lane="jobs", key="a", payload={}, state="failed",
        created_by_kind="system", created_at=clock.now(), run_at=clock.now(),
    )  # fmt: skip
    page = operator.get("/admin/tenants/").content.decode()
    for text in ("6.0\xa0GB of 5.0\xa0GB", "team", "over its room", "failed jobs", "not noted yet"):
        assert text in page
    only = operator.get("/admin/tenants/?q=BET").content.decode()
    assert ">beta</a>" in only
    assert ">acme</a>" not in only


def test_suspended_tenants_are_found_by_their_state(operator, acme, beta):
    Tenant.objects.filter(pk=beta.id).update(state="suspended", suspended_for="has not paid")
    assert "has not paid" in operator.get("/admin/tenants/?state=suspended").content.decode()
    assert ">beta</a>" not in operator.get("/admin/tenants/?state=active").content.decode()
    assert ">acme</a>" in operator.get("/admin/tenants/?state=nonsense").content.decode()


def test_the_list_asks_as_often_for_twenty_tenants_as_for_two(operator, acme, beta):
    operator.get("/admin/tenants/")
    few = count_queries(lambda: operator.get("/admin/tenants/"))
    found_many_tenants(30)
    assert count_queries(lambda: operator.get("/admin/tenants/")) == few
    page = operator.get("/admin/tenants/?q=many&p=2").content.decode()
    assert "Page 2 of 2 (30 in all)" in page


def test_the_list_needs_the_right_to_see_tenants(acme):
    user = User.objects.create_superuser(email="help@bitvault.test", password="a long enough password")
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    assert client.get("/admin/tenants/").status_code == 403


def test_room_is_noted_once_for_each_tenant_and_forgotten_with_it(acme):
    with tenancy.entered(acme):
        noting.note_room()
        noting.note_room()
    assert noted.sum_up_room(tenant_ids=[acme.id]).limit_bytes > 0
    assert noted.list_noted_room(tenant_ids=[acme.id])[acme.id].percent == 0
    noted.forget_tenant(tenant_id=acme.id)
    assert noted.list_noted_room(tenant_ids=[acme.id]) == {}


def test_troubles_name_each_service_that_is_away(settings):
    settings.ROOT_URLCONF = "bitvault.gateway.urls_operators"
    away = {name: None for check in overview.CHECKS for name in check.failed}
    texts = [trouble.text for trouble in overview_admin.list_troubles(away)]
    assert len(texts) == 3
