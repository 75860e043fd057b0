import time

import pytest

from apps.identity import api, queries
from apps.identity.models import Domain, Tenant, TenantState
from bitvault.kernel import remembered
from tests.support.world import ACME, BETA


@pytest.mark.parametrize("host", ["acme.localhost", "ACME.localhost", "acme.localhost."])
def test_the_label_below_the_bare_host_leads_to_the_tenant(db, host):
    assert api.find_tenant_by_host(host=host).id == ACME.id


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "acme",
        "x.acme.localhost",
        "acme.localhost.evil.test",
        "acme.evil.test",
        "nobody.localhost",
        "\0",
        "acme\0.localhost",
        "☃.localhost",
    ],
)
def test_any_other_host_leads_nowhere(db, host):
    assert api.find_tenant_by_host(host=host) is None


def test_the_label_wins_over_a_stray_domain_row(db):
    Domain.objects.filter(tenant_id=ACME.id).delete()
    Domain.objects.create(tenant_id=BETA.id, domain="acme.localhost", is_primary=False)
    assert api.find_tenant_by_host(host="acme.localhost").id == ACME.id


def test_a_suspended_tenant_has_no_host_and_an_activated_one_has_it_back(db, events):
    assert api.find_tenant_by_host(host="acme.localhost") is not None
    api.suspend_tenant(tenant_id=ACME.id)
    api.suspend_tenant(tenant_id=ACME.id)
    assert api.find_tenant_by_host(host="acme.localhost") is None
    assert api.find_tenant(tenant_id=ACME.id) is None
    assert {tenant.slug for tenant in api.list_active_tenants()} == {"beta"}
    api.activate_tenant(tenant_id=ACME.id)
    assert api.find_tenant_by_host(host="acme.localhost") is not None
    assert [type_ for type_, _ in events(ACME.id)] == ["identity.tenant.suspended.v1", "identity.tenant.activated.v1"]


def test_a_suspension_by_another_process_is_seen_within_a_second(db):
    assert api.find_tenant_by_host(host="acme.localhost") is not None
    Tenant.objects.filter(pk=ACME.id).update(state=TenantState.SUSPENDED)
    assert remembered.LIFETIME_SECONDS < 1
    time.sleep(remembered.LIFETIME_SECONDS)
    assert api.find_tenant_by_host(host="acme.localhost") is None


def test_a_host_that_was_asked_for_lately_costs_no_query(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        api.find_tenant_by_host(host="acme.localhost")
    with django_assert_num_queries(0):
        for _ in range(10):
            api.find_tenant_by_host(host="acme.localhost")


def test_hosts_that_lead_nowhere_are_not_remembered_so_a_new_tenant_works_at_once(db, django_assert_num_queries):
    with django_assert_num_queries(2):
        for _ in range(2):
            assert api.find_tenant_by_host(host="soon.localhost") is None
    Domain.objects.create(tenant_id=ACME.id, domain="files.example.org", is_primary=False)
    assert api.find_tenant_by_host(host="files.example.org").id == ACME.id


def test_the_memory_has_a_bound(monkeypatch):
    monkeypatch.setattr(remembered, "_SIZE_LIMIT", 100)
    memory = remembered.Remembered()
    for number in range(1_000):
        memory.get(number, lambda: "answer")
    assert len(memory._entries) <= 100
    assert memory.get(999, lambda: "asked again") == "answer"
    queries.forget_remembered()
