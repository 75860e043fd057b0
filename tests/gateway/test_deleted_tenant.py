"""A tenant that is deleted in the middle: whoever is at work for it is told so or stops, and nobody else notices."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from apps.identity import api as identity
from bitvault.events import consuming, operating
from bitvault.gateway import recounting
from bitvault.jobs import api as jobs
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.tasks import select_present
from tests.jobs.conftest import desk
from tests.support.client import ApiClient
from tests.support.world import ACME

__all__ = ["desk"]

pytestmark = pytest.mark.committed


def delete(tenant) -> None:
    """Delete a tenant as an operator does by hand: its row with all that hangs on it, then its schema."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM public.identity_session WHERE tenant_id = %s", [tenant.id])
        cursor.execute("DELETE FROM public.identity_api_token WHERE tenant_id = %s", [tenant.id])
        cursor.execute("DELETE FROM public.identity_membership WHERE tenant_id = %s", [tenant.id])
        cursor.execute("DELETE FROM public.identity_domain WHERE tenant_id = %s", [tenant.id])
        cursor.execute("DELETE FROM public.identity_tenant WHERE id = %s", [tenant.id])
        cursor.execute("SET ROLE bitvault_owner")
        cursor.execute(f'DROP SCHEMA "{tenant.schema}" CASCADE')
        cursor.execute("RESET ROLE")


def ask(name="mia"):
    return ApiClient(token=ACME.people[name].token, raise_request_exception=False)


REQUESTS = [
    ("GET", "/me", None),
    ("GET", "/nodes/root/children", None),
    ("POST", "/folders", {"parent_id": "00000000-0000-7000-8000-000000000000", "name": "a"}),
    ("GET", "/audit", None),
    ("GET", "/usage", None),
    ("GET", "/quotas", None),
    ("GET", "/sync/devices", None),
    ("POST", "/sync/devices", {"name": "d", "platform": "p"}),
    ("GET", "/jobs", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_a_request_whose_tenant_is_remembered_is_told_that_it_is_gone(api, acme, monkeypatch, method, path, body):
    """For under a second a process remembers whose a token is: the tenant is deleted within that."""
    from bitvault.kernel import remembered

    monkeypatch.setattr(remembered, "LIFETIME_SECONDS", 3600)
    assert ask("olga").get("/me").status_code == 200
    delete(acme)
    answer = ask("olga").request(method, path, body)
    assert answer.status_code in (200, 401, 404), answer.content
    if answer.status_code == 200:
        assert path == "/jobs", "what is not the tenant's own may still be told"


def test_a_request_a_second_later_is_refused_and_other_tenants_are_served(api, acme):
    assert ask().get("/me").status_code == 200
    delete(acme)
    identity_queries_forget()
    assert ask().get("/me").status_code == 401
    assert api("boris").get("/me").status_code == 200
    page = ApiClient(host="acme.localhost", raise_request_exception=False).get("/me")
    assert page.status_code == 404


def identity_queries_forget() -> None:
    from apps.identity import queries

    queries.forget_remembered()


def test_consumers_and_the_relay_pass_over_it(api, acme, beta):
    root_id = api("mia").get("/me").json()["root_id"]
    api("mia").post("/folders", {"parent_id": root_id, "name": "a"})
    delete(acme)
    assert select_present({acme.id, beta.id}) == {beta.id}
    assert operating.list_backlogs()
    with clock.fixed_at(clock.now() + timedelta(hours=2)):
        assert all(backlog.row_count == 0 for backlog in operating.list_backlogs() if backlog.consumer == "audit")
    mona = api("mona")
    mona.post("/folders", {"parent_id": mona.get("/me").json()["root_id"], "name": "b"})
    with tenancy.entered(beta):
        assert consuming.consume("audit") > 0


def test_a_job_of_its_is_given_up_and_those_of_others_are_done(acme, beta, desk):
    for tenant in (acme, beta):
        with tenancy.entered(tenant), db.write_transaction():
            jobs.enqueue(recounting.RECOUNT_JOB, recounting.RecountUsage(), key="usage", by=jobs.SYSTEM)
    delete(acme)
    for _ in range(10):
        desk.hurry()
        desk.run("bulk")
    states = dict(Job.objects.filter(kind=recounting.RECOUNT_JOB).values_list("tenant_id", "state"))
    assert states[beta.id] == "done"
    assert states.get(acme.id) in (None, "queued", "failed", "canceled")


def test_sockets_of_its_are_sent_away_and_those_of_others_stay(api, acme, beta):
    from apps.sync.sockets.admission import Guest, review
    from tests.support.world import BETA

    def guest(company, name):
        person = company.people[name]
        return Guest(tenant=acme if company is ACME else beta, user_id=person.user_id, token_id=person.token_id)

    device = api("mia").post("/sync/devices", {"name": "d", "platform": "p"}).json()
    gone, staying = guest(ACME, "mia"), guest(BETA, "mona")
    with_device = replace(gone, device_id=UUID(device.get("id") or device["device"]["id"]))
    everybody = [gone, with_device, staying]
    assert all(review(everybody).admits(one) for one in everybody)
    delete(acme)
    findings = review(everybody)
    assert [findings.admits(one) for one in everybody] == [False, False, True]


def test_tenants_that_are_left_are_all_that_the_schedule_knows(acme, beta):
    delete(acme)
    assert [tenant.id for tenant in identity.list_active_tenants()] == [beta.id]
