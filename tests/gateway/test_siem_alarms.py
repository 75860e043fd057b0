"""A SIEM export that fails for long is told of once, and once more when it works: administrators of theirs, operators of the installation's."""

from datetime import timedelta

import pytest
from django.urls import set_urlconf

from apps.admin_platform import api as administration
from apps.admin_platform import configuring
from apps.admin_platform.config_source import SOURCE
from apps.admin_platform.dtos import SiemWish
from apps.admin_platform.siem import delivering, waking
from apps.identity.models import User
from bitvault.events import consuming
from bitvault.events.api import list_published
from bitvault.gateway import alarms, overview
from bitvault.gateway.overview_admin import list_troubles
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import Role
from tests.apps.identity.posting import deliver
from tests.jobs.conftest import desk
from tests.support.collectors import start_collector

__all__ = ["desk"]

pytestmark = pytest.mark.committed

FAILS, TAKES = [500] * 30, []


@pytest.fixture
def collector(settings):
    settings.BITVAULT_WEBHOOK_NETWORKS = ("127.0.0.0/8",)
    it, server = start_collector()
    yield it
    server.shutdown()
    server.server_close()


@pytest.fixture
def send(desk, acme, beta):
    def run(times=1):
        for _ in range(times):
            for tenant in (acme, beta):
                with tenancy.entered(tenant):
                    consuming.consume("audit")
            desk.hurry()
            desk.run("outbound")

    return run


@pytest.fixture
def told(acme):
    """What administrators of acme are told by the stream."""

    def read():
        with tenancy.entered(acme):
            kinds = [one.type for one in list_published(after=0, limit=500)]
        return [kind.split(".")[2] for kind in kinds if kind.endswith(("failing.v1", "recovered.v1"))]

    return read


@pytest.fixture
def own_export(acme, make_actor, collector, send):
    with tenancy.entered(acme):
        wish = SiemWish(url=collector.url, from_number=1)
        return administration.create_siem_export(actor=make_actor("olga", role=Role.OWNER), wish=wish)


def test_it_is_told_after_some_failures_once_and_again_when_it_works(own_export, collector, send, told, acme):
    collector.says = list(FAILS)
    send(delivering.TOLD_AFTER_FAILURES - 1)
    assert told() == []
    send()
    assert told() == ["failing"]
    send(3)
    assert told() == ["failing"], "once"
    collector.says = TAKES
    send(2)
    assert told() == ["failing", "recovered"]
    send()
    assert told() == ["failing", "recovered"]
    collector.says = list(FAILS)
    send()
    assert told() == ["failing", "recovered"], "one failure is no news"


def test_it_is_told_after_half_an_hour_however_few_the_tries_were(own_export, collector, send, told, acme):
    collector.says = list(FAILS)
    send()
    with clock.fixed_at(clock.now() + timedelta(minutes=29)):
        send()
    assert told() == []
    with clock.fixed_at(clock.now() + timedelta(minutes=31)):
        send()
    assert told() == ["failing"]


def test_administrators_get_a_notice_that_leads_to_the_page(own_export, collector, send, acme, make_actor, api):
    collector.says = list(FAILS)
    send(delivering.TOLD_AFTER_FAILURES)
    with tenancy.entered(acme):
        consuming.consume("notifications")
    page = api("adam").get("/notifications").json()["items"]
    assert [one["kind"] for one in page if one["kind"].startswith("siem")] == ["siem_failing"]
    assert not [one for one in api("mia").get("/notifications").json()["items"] if one["kind"].startswith("siem")]


@pytest.fixture
def installation(acme, beta, collector):
    configuring.set_value("audit.siem_url", collector.url, by=None, note="")
    SOURCE.forget()
    User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password", locale="de")
    User.objects.create_superuser(email="gone@bitvault.test", password="a long enough password", is_active=False)
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            administration.record_denial(event_type="access.denied", actor_id=None, node_id=None, payload={})
            waking.sweep()
    yield
    SOURCE.forget()


def test_operators_are_written_to_once_however_many_tenants_fail(installation, collector, send, told):
    collector.says = list(FAILS) * 3
    send(delivering.TOLD_AFTER_FAILURES)
    assert alarms.watch_siem() is True
    assert alarms.watch_siem() is True
    letters = deliver()
    assert [(letter.to, letter.subject) for letter in letters] == [(["ops@bitvault.test"], "Der SIEM-Export scheitert")]
    assert "http://admin.localhost" in letters[0].body
    assert told() == [], "tenants hear of their own exports alone"
    figures = overview._ask_database()
    set_urlconf("bitvault.gateway.urls_operators")
    nothing = dict.fromkeys(
        (*overview.DATABASE_FIGURES, "valkey", "store", "store_disk", "disk", "traffic", "database")
    )
    now = {**nothing, "alarms": figures["alarms"]}
    assert "The SIEM export fails: audit logs do not arrive." in [str(one.text) for one in list_troubles(now)]
    set_urlconf(None)
    collector.says = TAKES
    send(3)
    assert alarms.watch_siem() is False
    assert [letter.subject for letter in deliver()] == ["Der SIEM-Export funktioniert wieder"]
    assert administration.list_alarms() == []


def test_switching_it_off_ends_the_alarm(installation, collector, send):
    collector.says = list(FAILS) * 3
    send(delivering.TOLD_AFTER_FAILURES)
    assert alarms.watch_siem() is True
    configuring.set_value("audit.siem_url", None, by=None, note="")
    SOURCE.forget()
    assert alarms.watch_siem() is False
