"""What administrators set for their vault, over REST and on its page: who may, what is kept, and who is told."""

import pytest
from django.test import Client

from apps.identity import api as identity
from apps.identity import policies
from bitvault.kernel import tenancy
from bitvault.kernel.errors import Forbidden
from tests.support.world import ACME, PASSWORD


@pytest.fixture(autouse=True)
def _as_of_now():
    policies.forget_remembered()
    yield
    policies.forget_remembered()


@pytest.fixture
def settings_page(db, address):
    def read(name):
        browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
        browser.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return browser.get("/settings/team/")

    return read


def test_a_new_vault_forbids_nothing(api):
    found = api("mia").get("/tenant").json()
    assert (found["slug"], found["name"]) == ("acme", "Acme")
    assert found["policies"] == {
        "share_outside": "members",
        "guests": "members",
        "guest_domains": [],
        "links_allowed": True,
        "link_password_required": False,
        "expiry_required": False,
        "longest_days": None,
        "share_on": "managers",
        "allowed_domains": [],
        "file_types": "all",
        "file_extensions": [],
        "largest_file_bytes": None,
        "versions_keep_count": None,
        "versions_keep_days": None,
        "versions_thinning": False,
        "support_access": "look",
    }
    assert found["permitted"] == {"make_links": True, "invite_members": False, "invite_guests": True}


def test_what_is_set_holds_and_is_told_once(api, events):
    olga = api("olga")
    wanted = {"name": "Acme Ltd", "locale": "de", "time_zone": "Europe/Berlin"}
    for _ in range(2):
        answer = olga.patch(
            "/tenant", {**wanted, "policies": {"longest_days": 30, "allowed_domains": ["@Example.org "]}}
        )
        assert answer.status_code == 200, answer.content
    found = olga.get("/tenant").json()
    assert {key: found[key] for key in wanted} == wanted
    assert (found["policies"]["longest_days"], found["policies"]["allowed_domains"]) == (30, ["example.org"])
    told = {
        "changed": ["name", "locale", "time_zone"],
        "policies": ["longest_days=30", 'allowed_domains=["example.org"]'],
    }
    assert events(ACME.id) == [("identity.tenant.changed.v1", told)]
    assert olga.patch("/tenant", {"policies": {"longest_days": None}}).json()["policies"]["longest_days"] is None


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_others_read_and_change_nothing(api, settings_page, name):
    assert api(name).patch("/tenant", {"name": "Mine"}).status_code == 403
    assert settings_page(name).status_code == 403
    assert api(name).get("/tenant").json()["name"] == "Acme"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": " "}, "identity.invalid_name"),
        ({"locale": "tlh"}, "identity.invalid_locale"),
        ({"time_zone": "Mars/Olympus"}, "identity.invalid_time_zone"),
        ({"policies": {"longest_days": 0}}, "identity.invalid_policy"),
        ({"policies": {"longest_days": 4000}}, "identity.invalid_policy"),
        ({"policies": {"versions_keep_count": 0}}, "identity.invalid_policy"),
        ({"policies": {"versions_keep_count": 10_001}}, "identity.invalid_policy"),
        ({"policies": {"versions_keep_days": -1}}, "identity.invalid_policy"),
        ({"policies": {"versions_keep_days": 3651}}, "identity.invalid_policy"),
        ({"policies": {"allowed_domains": ["not a domain"]}}, "identity.invalid_domain"),
        ({"policies": {"file_types": "only"}}, "identity.invalid_policy"),
        ({"policies": {"file_types": "only", "file_extensions": [" "]}}, "identity.invalid_policy"),
        ({"policies": {"file_extensions": [".exe", "no extension"]}}, "identity.invalid_policy"),
        ({"policies": {"file_extensions": [f"x{number}" for number in range(201)]}}, "identity.invalid_policy"),
        ({"policies": {"largest_file_bytes": 0}}, "identity.invalid_policy"),
        ({"policies": {"largest_file_bytes": 5 * 1024**4 + 1}}, "identity.invalid_policy"),
        ({"policies": {"allowed_domains": [f"d{number}.org" for number in range(101)]}}, "identity.invalid_policy"),
    ],
)
def test_what_cannot_be_is_refused_whole(api, body, code):
    answer = api("adam").patch("/tenant", {"policies": {"links_allowed": False}, **body} if "name" in body else body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    found = api("adam").get("/tenant").json()
    assert (found["name"], found["policies"]["links_allowed"]) == ("Acme", True)


def test_people_are_invited_from_the_domains_that_the_vault_names(api):
    adam = api("adam")
    adam.patch("/tenant", {"policies": {"allowed_domains": ["acme.test", "partner.test"]}})
    answer = adam.post("/invitations", {"email": "nina@stranger.test", "role": "member"})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.domain_not_allowed")
    assert answer.json()["domains"] == ["acme.test", "partner.test"]
    # A domain that only ends alike is another one.
    assert adam.post("/invitations", {"email": "nina@evil-partner.test", "role": "member"}).status_code == 403
    assert adam.post("/invitations", {"email": "nina@Partner.test", "role": "member"}).status_code == 201


def test_the_page_shows_what_is_set(api, settings_page):
    api("adam").patch("/tenant", {"policies": {"share_outside": "nobody", "allowed_domains": ["a.test", "b.test"]}})
    page = settings_page("adam").content.decode()
    assert '<option value="nobody" selected>' in page
    assert ">a.test\nb.test</textarea>" in page
    assert 'value="Acme"' in page


def test_rules_for_files_are_kept_in_one_spelling_told_by_the_stream_and_shown(api, settings_page, events):
    wanted = {
        "file_types": "except",
        "file_extensions": ["*.EXE", "exe", "tar.gz", "."],
        "largest_file_bytes": 1536 * 1024,
    }
    found = api("adam").patch("/tenant", {"policies": wanted}).json()["policies"]
    assert found["file_extensions"] == [".exe", ".tar.gz", "."]
    told = [
        'file_types="except"',
        'file_extensions=[".exe", ".tar.gz", "."]',
        "largest_file_bytes=1572864",
    ]
    assert events(ACME.id) == [("identity.tenant.changed.v1", {"changed": [], "policies": told})]
    page = settings_page("adam").content.decode()
    assert '<option value="except" selected>' in page
    assert ">.exe\n.tar.gz\n.</textarea>" in page
    assert 'name="largest_file" type="number" min="0" step="any" inputmode="decimal" value="1.5"' in page
    # Without types there is nothing that may come in: such a list is not emptied by mistake.
    api("adam").patch("/tenant", {"policies": {"file_types": "only"}})
    answer = api("adam").patch("/tenant", {"policies": {"file_extensions": []}})
    assert (answer.status_code, answer.json()["field"]) == (422, "file_extensions")


def test_rules_for_earlier_versions_are_kept_told_and_shown(api, settings_page, events):
    adam = api("adam")
    wanted = {"versions_keep_count": 20, "versions_keep_days": 90, "versions_thinning": True}
    for _ in range(2):
        assert adam.patch("/tenant", {"policies": wanted}).status_code == 200
    found = api("mia").get("/tenant").json()["policies"]
    assert {key: found[key] for key in wanted} == wanted
    told = ["versions_keep_count=20", "versions_keep_days=90", "versions_thinning=true"]
    assert events(ACME.id) == [("identity.tenant.changed.v1", {"changed": [], "policies": told})]
    page = settings_page("adam").content.decode()
    assert (
        'name="versions_keep_count" type="number" min="1" max="10000" step="1" inputmode="numeric" value="20"' in page
    )
    assert 'name="versions_thinning" checked' in page
    assert (
        adam.patch("/tenant", {"policies": {"versions_keep_count": None}}).json()["policies"]["versions_keep_count"]
        is None
    )


def test_only_who_administers_comes_through_the_door(db, acme, make_actor):
    with tenancy.entered(acme), pytest.raises(Forbidden):
        identity.update_tenant(actor=make_actor("mia"), name="Mine")
