"""The operators' page of their SIEM export."""

import pytest
from django.test import Client

from apps.admin_platform import api as administration
from apps.admin_platform import configuring
from apps.admin_platform.config_source import SOURCE
from apps.admin_platform.siem import waking
from bitvault.events.api import list_published
from bitvault.kernel import tenancy
from tests.support.collectors import start_collector

pytestmark = pytest.mark.committed


@pytest.fixture
def operator():
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    client.user_id = user.pk
    return client


@pytest.fixture
def collector(acme, beta):
    it, server = start_collector()
    configuring.set_value("audit.siem_url", it.url, by=None, note="")
    SOURCE.forget()
    yield it
    server.shutdown()
    server.server_close()
    SOURCE.forget()


def press(operator, tenant, act, **form):
    answer = operator.post("/admin/siem/act", {"tenant_id": tenant.id, "act": act, **form}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_operators_pause_begin_again_and_test_and_the_tenants_log_says_who(operator, acme, beta, collector):
    with tenancy.entered(acme):
        waking.sweep()
    page = operator.get("/admin/siem/").content.decode()
    assert collector.url in page
    assert page.count("not begun") == 1
    assert "The receiver has taken the test." in press(operator, acme, "test")
    collector.says = [403]
    assert "answer 403" in press(operator, acme, "test")
    assert "is paused" in press(operator, acme, "pause")
    assert "goes on" in press(operator, acme, "resume")
    assert "sent again" in press(operator, acme, "restart", from_number="1")
    with tenancy.entered(acme):
        told = [one for one in list_published(after=0, limit=100) if ".siem_export." in one.type]
        assert [one.type.split(".")[2] for one in told] == ["changed", "changed", "restarted"]
        assert {one.actor_id for one in told} == {operator.user_id}
        assert administration.find_siem_export_of_installation().enabled


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "9" * 40, "²"])
def test_what_is_no_number_of_an_entry_changes_nothing(operator, acme, collector, number):
    with tenancy.entered(acme):
        waking.sweep()
    assert 'class="error"' in press(operator, acme, "restart", from_number=number)
    assert 'class="error"' in press(operator, acme, "explode")


def test_a_tenant_whose_export_has_not_begun_is_told_of(operator, beta, collector):
    assert 'class="error"' in press(operator, beta, "pause")
