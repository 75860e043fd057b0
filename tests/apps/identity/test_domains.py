"""Domains of tenants: proved by a record, looked at again, never another tenant's, and what a name server that is ill does not undo."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.identity import api as identity
from apps.identity import dns, errors, models, queries
from apps.identity.api import domains as doors
from apps.identity.operations import domains
from bitvault.kernel import clock
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Forbidden, TooManyRequests
from tests.apps.files.conftest import events, last_seq
from tests.support.dns import NameServer
from tests.support.world import ACME, PASSWORD

NAME = "files.example.org"


@pytest.fixture
def server(settings):
    """A name server of the test's own, which alone is asked."""
    server = NameServer()
    settings.BITVAULT_DNS_SERVERS = (server.address,)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    monkeypatch.setattr(domains, "CHECKS_LIMIT", 100_000)  # how often is a test of its own
    queries.forget_remembered()
    yield
    queries.forget_remembered()


@pytest.fixture
def adam(tenant, make_actor):
    return make_actor("adam")


def write_record(server, domain):
    server.records[domain.record_name] = ["v=spf1 -all", domain.record_value]


def prove(actor, server, name=NAME):
    made = doors.add_domain(actor=actor, domain=name)
    write_record(server, made)
    return doors.check_domain(actor=actor, domain_id=made.id)


def find(host):
    queries.forget_remembered()
    found = identity.find_tenant_by_host(host=host)
    return None if found is None else found.slug


def later(days):
    """Let the scheduled look come some days from now."""
    with clock.fixed_at(clock.now() + timedelta(days=days)):
        return domains.recheck()


def test_a_name_leads_to_the_tenant_once_its_record_is_found(adam, server):
    before = last_seq()
    made = doors.add_domain(actor=adam, domain=" Files.Example.org. ")
    assert (made.domain, made.state, made.record_name) == (NAME, "pending", f"_bitvault.{NAME}")
    assert made.record_value.startswith("bitvault-domain=")
    assert doors.add_domain(actor=adam, domain=NAME) == made
    looked = doors.check_domain(actor=adam, domain_id=made.id)
    assert (looked.state, looked.problem, find(NAME)) == ("pending", "record_missing", None)
    server.records[made.record_name] = ["bitvault-domain=" + "0" * 32]
    looked = doors.check_domain(actor=adam, domain_id=made.id)
    assert (looked.state, looked.problem, find(NAME)) == ("pending", "record_differs", None)
    write_record(server, made)
    looked = doors.check_domain(actor=adam, domain_id=made.id)
    assert (looked.state, looked.problem, find(NAME)) == ("proved", None, "acme")
    assert looked.proved_at is not None
    assert doors.check_domain(actor=adam, domain_id=made.id).proved_at == looked.proved_at
    assert Client(headers={"host": NAME}).get("/sign-in/").status_code == 200
    assert Client(headers={"host": "localhost"}).get("/certificates/ask", {"domain": NAME}).status_code == 200
    doors.remove_domain(actor=adam, domain_id=made.id)
    assert (find(NAME), doors.list_domains(actor=adam).items) == (None, [])
    assert Client(headers={"host": "localhost"}).get("/certificates/ask", {"domain": NAME}).status_code == 404
    assert [kind for kind, _ in events(before)] == [
        "identity.domain.added.v1",
        "identity.domain.proved.v1",
        "identity.domain.removed.v1",
    ]


@pytest.mark.parametrize(
    "name",
    ["acme.localhost", "localhost", "beta.localhost", "192.0.2.7", "org", "a b.example.org", "", "*.example.org"],
)
def test_names_of_the_installation_and_what_is_no_name_are_refused(adam, name):
    with pytest.raises(errors.InvalidDomain):
        doors.add_domain(actor=adam, domain=name)


def test_names_of_the_installation_that_lie_elsewhere_are_refused(adam, settings):
    settings.BITVAULT_OWN_HOSTS = {"store.example.net"}
    with pytest.raises(errors.InvalidDomain):
        doors.add_domain(actor=adam, domain="store.example.net")


def test_a_name_that_leads_to_another_tenant_is_refused_whenever_it_is_seen(db, api, server):
    ours, theirs = api("olga"), api("boris")
    made, other = (one.post("/tenant/domains", {"domain": NAME}).json() for one in (ours, theirs))
    assert made["record_value"] != other["record_value"]
    server.records[made["record_name"]] = [made["record_value"], other["record_value"]]
    assert theirs.post(f"/tenant/domains/{other['id']}/check").json()["state"] == "proved"
    looked = ours.post(f"/tenant/domains/{made['id']}/check").json()
    assert (looked["state"], looked["problem"], find(NAME)) == ("pending", "taken", "beta")
    assert ours.delete(f"/tenant/domains/{made['id']}").status_code == 204  # takes nothing from them
    assert find(NAME) == "beta"
    refused = ours.post("/tenant/domains", {"domain": NAME})
    assert (refused.status_code, refused.json()["code"]) == (409, "identity.domain_taken")
    path = f"/tenant/domains/{other['id']}"
    assert [
        ours.post(f"{path}/check").status_code,
        ours.patch(path, {"is_primary": True}).status_code,
        ours.delete(path).status_code,
    ] == [404] * 3
    assert theirs.delete(path).status_code == 204
    assert find(NAME) is None


def test_a_record_that_is_away_for_a_week_loses_the_name_and_proves_it_again(adam, server):
    made = prove(adam, server)
    record = server.records.pop(made.record_name)
    assert later(2) == 1
    (kept,) = doors.list_domains(actor=adam).items
    assert (kept.state, kept.problem, find(NAME)) == ("proved", "record_missing", "acme")
    assert kept.failing_since is not None
    server.records[made.record_name] = record
    later(4)
    assert doors.list_domains(actor=adam).items[0].failing_since is None
    server.records.clear()
    later(6)
    later(6.1)
    before = last_seq()
    later(14)
    (lost,) = doors.list_domains(actor=adam).items
    assert (lost.state, find(NAME)) == ("lost", None)
    assert [kind for kind, _ in events(before)] == ["identity.domain.lost.v1"]
    assert later(30) == 0
    server.records[made.record_name] = record
    assert doors.check_domain(actor=adam, domain_id=made.id).state == "proved"
    assert find(NAME) == "acme"


def test_administrators_are_told_once_that_a_record_is_away_and_when_it_is_back(adam, server):
    made = prove(adam, server)
    record = server.records.pop(made.record_name)
    before = last_seq()
    later(2)
    assert events(before) == []
    for hours in (1, 2, 3):
        later(2 + hours / 24)
    (kept,) = doors.list_domains(actor=adam).items
    ((kind, told),) = events(before)
    assert (kind, told["domain"]) == ("identity.domain.record_missed.v1", NAME)
    assert kept.leads_until == kept.failing_since + timedelta(days=7)
    assert datetime.fromisoformat(told["leads_until"]) == kept.leads_until
    server.records[made.record_name] = record
    for hours in (4, 5):
        later(2 + hours / 24)
    assert [one for one, _ in events(before)][1:] == ["identity.domain.record_found.v1"]
    assert doors.list_domains(actor=adam).items[0].leads_until is None


def test_a_short_absence_is_nobodys_news(adam, server):
    made = prove(adam, server)
    record = server.records.pop(made.record_name)
    before = last_seq()
    later(2)
    server.records[made.record_name] = record
    later(2.1)
    assert events(before) == []


def test_a_name_is_lost_a_day_after_the_notice_at_the_earliest(adam, server):
    """No look came for a month after the first that missed the record."""
    made = prove(adam, server)
    server.records.pop(made.record_name)
    before = last_seq()
    later(2)
    later(30)
    assert [one for one, _ in events(before)] == ["identity.domain.record_missed.v1"]
    assert find(NAME) == "acme"
    later(30.5)
    assert find(NAME) == "acme"
    later(31.1)
    assert [one for one, _ in events(before)] == ["identity.domain.record_missed.v1", "identity.domain.lost.v1"]
    assert find(NAME) is None


@pytest.mark.parametrize("mood", ["broken", "silent"])
def test_a_name_server_that_is_ill_undoes_nothing_and_proves_nothing(adam, server, mood, monkeypatch):
    monkeypatch.setattr(dns, "LOOKUP_SECONDS", 0.5)
    made = prove(adam, server)
    other = doors.add_domain(actor=adam, domain="other.example.org")
    server.mood = mood
    for days in (2, 20):
        later(days)
    kept = {one.domain: one for one in doors.list_domains(actor=adam).items}
    assert (kept[NAME].state, kept[NAME].problem, kept[NAME].failing_since) == ("proved", "no_answer", None)
    assert find(NAME) == "acme"
    assert doors.check_domain(actor=adam, domain_id=other.id).state == "pending"
    assert doors.check_domain(actor=adam, domain_id=made.id).state == "proved"


def test_what_was_never_proved_is_asked_for_a_while_and_no_longer(adam, server):
    doors.add_domain(actor=adam, domain=NAME)
    assert [later(days) for days in (1, 5, 20)] == [1, 1, 0]


def test_the_primary_name_is_named_in_mails_until_it_is_removed(adam, tenant, server):
    made = doors.add_domain(actor=adam, domain=NAME)
    with pytest.raises(errors.DomainUnproved):
        doors.choose_primary_domain(actor=adam, domain_id=made.id, is_primary=True)
    prove(adam, server)
    own = identity.get_tenant_url(tenant=tenant)
    assert "//acme.localhost" in own
    for _ in range(2):
        assert doors.choose_primary_domain(actor=adam, domain_id=made.id, is_primary=True).is_primary
    assert identity.get_tenant_url(tenant=tenant) == own.replace("acme.localhost", NAME)
    assert not doors.choose_primary_domain(actor=adam, domain_id=made.id, is_primary=False).is_primary
    assert identity.get_tenant_url(tenant=tenant) == own
    doors.choose_primary_domain(actor=adam, domain_id=made.id, is_primary=True)
    doors.remove_domain(actor=adam, domain_id=made.id)
    assert identity.get_tenant_url(tenant=tenant) == own


def test_there_are_so_many_and_looks_are_counted(adam, server, monkeypatch):
    monkeypatch.setattr(domains, "LIMIT", 1)
    monkeypatch.setattr(domains, "CHECKS_LIMIT", 2)
    made = doors.add_domain(actor=adam, domain=NAME)
    with pytest.raises(errors.TooManyDomains):
        doors.add_domain(actor=adam, domain="more.example.org")
    with pytest.raises(TooManyRequests):
        for _ in range(3):
            doors.check_domain(actor=adam, domain_id=made.id)


def test_members_see_and_change_none(tenant, make_actor):
    mia = make_actor("mia", role=Role.MEMBER)
    for act in (lambda: doors.list_domains(actor=mia), lambda: doors.add_domain(actor=mia, domain=NAME)):
        with pytest.raises(Forbidden):
            act()


def test_the_page_shows_the_record_and_how_it_stands(db, api, server):
    olga = api("olga")
    made = olga.post("/tenant/domains", {"domain": NAME}).json()
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/sign-in/", {"email": ACME.people["adam"].email, "password": PASSWORD})
    page = browser.get("/settings/domains/").content.decode()
    for words in (NAME, made["record_name"], made["record_value"], "Waits for its record", "Check now"):
        assert words in page
    server.records[made["record_name"]] = [made["record_value"]]
    assert olga.post(f"/tenant/domains/{made['id']}/check").json()["state"] == "proved"
    page = browser.get("/settings/domains/").content.decode()
    assert "Leads to this vault" in page
    assert made["record_value"] not in page
    assert olga.patch(f"/tenant/domains/{made['id']}", {"is_primary": True}).json()["is_primary"]
    assert api("mia").get("/tenant/domains").status_code == 403
    assert olga.delete(f"/tenant/domains/{made['id']}").status_code == 204
    assert models.OwnDomain.objects.count() == 0
