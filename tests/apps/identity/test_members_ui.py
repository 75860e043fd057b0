"""The page of a vault's people, and the commands of operators."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.identity import api, models
from apps.identity.operations import invitations
from bitvault.jobs import calling
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Role
from tests.apps.identity.posting import deliver
from tests.support.world import ACME, PASSWORD

GOOD = "a sentence that nobody else has"


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)
    monkeypatch.setattr(invitations, "TENANT_LIMIT", 100_000)


@pytest.fixture
def enter(db, address):
    def sign_in(name):
        browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
        browser.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return browser

    return sign_in


def run(command, *args, **options):
    said = io.StringIO()
    call_command(command, *args, stdout=said, **options)
    return said.getvalue()


def test_who_administers_sees_everybody_and_finds_some(enter):
    page = enter("adam").get("/members/").content.decode()
    for person in ACME.people.values():
        assert person.email in page
    found = enter("adam").get("/members/?q=mia&role=member").content.decode()
    assert "mia@acme.test" in found
    assert "vera@acme.test" not in found
    assert "Nobody matches" in enter("adam").get("/members/?q=nobody").content.decode()


def test_guests_are_shown_apart_and_by_their_role(enter):
    models.Membership.objects.filter(user_id=ACME.people["vera"].user_id).update(role=Role.GUEST.value)
    members, _, guests = enter("adam").get("/members/").content.decode().partition('id="guests"')
    assert "vera@acme.test" not in members
    assert "vera@acme.test" in guests
    found = enter("adam").get("/members/?role=guest").content.decode()
    assert "vera@acme.test" in found
    assert "mia@acme.test" not in found


def test_a_filter_that_makes_no_sense_filters_nothing(enter):
    assert "mia@acme.test" in enter("adam").get("/members/?role=emperor").content.decode()


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_others_find_neither_the_page_nor_the_way_to_it(enter, name):
    browser = enter(name)
    assert browser.get("/members/").status_code == 403
    assert 'href="/members/"' not in browser.get("/settings/").content.decode()


def test_an_administrator_is_offered_nothing_that_only_owners_may(enter):
    page = enter("adam").get("/members/").content.decode()
    assert 'data-role="owner">' not in page.partition('id="member-menu"')[2]
    assert "Actions for Olga" not in page
    assert "Actions for Mia" in page
    owners = enter("olga").get("/members/").content.decode()
    assert "Actions for Adam" in owners
    assert 'data-role="owner"' in owners.partition('id="member-menu"')[2]


def test_the_page_goes_on_where_it_ended(enter, acme, monkeypatch):
    from apps.identity.ui import people

    monkeypatch.setattr(people, "PAGE_SIZE", 3)
    browser = enter("adam")
    first = browser.get("/members/").content.decode()
    more = first.partition('hx-get="/members/?cursor=')[2].partition('"')[0]
    rest = browser.get(f"/members/?cursor={more}").content.decode()
    assert [email for email in (one.email for one in ACME.people.values()) if email not in first + rest] == []


def test_operators_add_invite_and_remove_by_commands(db, acme, address, email, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{GOOD}\n"))
    assert email in run("add_member", "acme", email, role="admin", name="Nina", password_stdin=True)
    assert api.sign_in(email=email, password=GOOD, tenant=acme, address=address)
    assert "is invited to acme" in run("invite", "acme", f"other-{email}", role="viewer")
    assert [letter.to for letter in deliver()] == [[f"other-{email}"]]
    assert "not in acme any more" in run("remove_member", "acme", "mia@acme.test", successor=email)
    heir = models.User.objects.get(email=email)
    found = api.find_succession(tenant=acme, user_id=ACME.people["mia"].user_id)
    assert found.successor_id == heir.id
    run("remove_member", "acme", email)
    assert api.find_succession(tenant=acme, user_id=heir.id).successor_id == ACME.people["olga"].user_id


def test_somebody_added_without_a_password_chooses_one_by_mail(db, acme, email):
    run("add_member", "acme", email, no_password=True)
    assert models.Membership.objects.get(user__email=email).role == Role.MEMBER.value


@pytest.mark.parametrize(
    ("command", "args", "why"),
    [
        ("add_member", ("nowhere", "x@elsewhere.test"), "no tenant"),
        ("add_member", ("acme", "mia@acme.test"), "already"),
        ("invite", ("acme", "nonsense"), "e-mail"),
        ("remove_member", ("acme", "nobody@acme.test"), "no member"),
        ("remove_member", ("acme", "olga@acme.test"), "owner"),
    ],
)
def test_commands_say_what_is_wrong(db, command, args, why):
    more = {"no_password": True} if command == "add_member" else {}
    with pytest.raises(CommandError, match=why):
        run(command, *args, **more)


def test_the_pages_of_groups_show_them_with_their_people_to_who_administers(enter, acme, make_actor):
    adam, mia = make_actor("adam"), ACME.people["mia"]
    with tenancy.entered(acme):
        design = api.create_group(actor=adam, name="Design")
        icons = api.create_group(actor=adam, name="<b>Icons</b>", parent_id=design.id)
        api.put_group_member(actor=adam, group_id=icons.id, user_id=mia.user_id)
    browser = enter("adam")
    page = browser.get("/groups/").content.decode()
    assert page.index("Design</bdi>") < page.index("&lt;b&gt;Icons")
    assert "mia@acme.test" in browser.get(f"/groups/{icons.id}/").content.decode()
    assert "Nobody is in this group" in browser.get(f"/groups/{design.id}/").content.decode()
    assert browser.get(f"/groups/{mia.user_id}/").status_code == 404
    for path in ("/groups/", f"/groups/{icons.id}/"):
        assert enter("mia").get(path).status_code == 403
