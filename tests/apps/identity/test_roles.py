"""Roles of a tenant's own: made of the catalogue of permissions, given to people, and never more than who gives them has."""

import threading

import pytest
from django.db import connections
from django.test import Client

from apps.identity import api, models, queries
from apps.identity.roles import BUILT_IN_IDS
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Role
from bitvault.kernel.permissions import CHOOSABLE, Permission, read_permissions
from tests.support.client import ApiClient
from tests.support.world import ACME, PASSWORD


def ask(name):
    return ApiClient(token=ACME.people[name].token, raise_request_exception=False)


def make(client, name="Bookkeeping", permissions=("manage_billing", "see_audit"), **more):
    return client.post("/roles", {"name": name, "permissions": list(permissions), **more})


def give(client, name, role_id):
    return client.patch(f"/members/{ACME.people[name].user_id}", {"role_id": str(role_id)})


def refusal(answer):
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def bookkeeping(db):
    """A role of the tenant's own, by its id."""
    made = make(ask("olga"))
    assert made.status_code == 201, made.content
    return made.json()["id"]


def test_built_in_roles_and_those_of_the_tenants_own_are_listed_as_one_kind(bookkeeping):
    rows = ask("olga").get("/roles").json()["items"]
    assert [(row["name"], row["built_in"]) for row in rows] == [
        *((role.value, role.value) for role in Role),
        ("Bookkeeping", None),
    ]
    assert len({frozenset(row) for row in rows}) == 1, "each has the same fields"
    assert rows[0]["permissions"] == [one.value for one in Permission]
    assert rows[1]["permissions"] == [one.value for one in CHOOSABLE]
    assert rows[-1]["permissions"] == ["see_audit", "manage_billing"]
    assert rows[2]["member_count"] == sum(person.role == "member" for person in ACME.people.values())


def test_whoever_has_a_role_may_what_it_allows_and_nothing_else_and_a_change_holds_at_once(bookkeeping):
    assert ask("mia").get("/audit").status_code == 403
    changed = give(ask("olga"), "mia", bookkeeping)
    assert changed.json()["role"] == "member"
    assert changed.json()["custom_role"] == {"id": bookkeeping, "name": "Bookkeeping"}
    me = ask("mia").get("/me").json()
    assert (me["role"], me["permissions"]) == ("member", ["see_audit", "manage_billing"])
    assert ask("mia").get("/audit").status_code == 200
    assert refusal(ask("mia").get("/members")) == (403, "identity.permission_missing")
    assert ask("olga").patch(f"/roles/{bookkeeping}", {"permissions": ["manage_billing"]}).status_code == 200
    assert refusal(ask("mia").get("/audit")) == (403, "identity.permission_missing")


def test_a_role_that_looks_at_files_changes_none(bookkeeping):
    root_id = ask("mia").get("/me").json()["root_id"]
    give(ask("olga"), "mia", bookkeeping)
    assert ask("mia").post("/folders", {"parent_id": root_id, "name": "a"}).status_code == 201
    assert ask("olga").patch(f"/roles/{bookkeeping}", {"base": "viewer"}).json()["base"] == "viewer"
    assert ask("mia").post("/folders", {"parent_id": root_id, "name": "b"}).status_code == 403
    assert ask("mia").get("/me").json()["role"] == "viewer"


def test_without_the_permission_nobody_makes_links_nor_shares_with_guests(bookkeeping):
    root_id = ask("mia").get("/me").json()["root_id"]
    folder = ask("mia").post("/folders", {"parent_id": root_id, "name": "a"}).json()["id"]
    give(ask("olga"), "mia", bookkeeping)
    link = {"kind": "view"}
    share = {"principal": {"type": "email", "email": "out@side.test"}, "role": "viewer"}
    assert refusal(ask("mia").post(f"/nodes/{folder}/links", link)) == (403, "identity.permission_missing")
    assert refusal(ask("mia").post(f"/nodes/{folder}/shares", share)) == (403, "identity.permission_missing")
    assert ask("mia").get("/tenant").json()["permitted"] == {
        "make_links": False,
        "invite_members": False,
        "invite_guests": False,
    }
    ask("olga").patch(f"/roles/{bookkeeping}", {"permissions": ["make_links"]})
    assert ask("mia").post(f"/nodes/{folder}/links", link).status_code == 201


def test_nobody_gives_a_role_that_may_do_more_than_they(bookkeeping):
    olga = ask("olga")
    personnel = make(olga, "Personnel", ["manage_members", "invite_members", "manage_roles"]).json()["id"]
    give(olga, "mia", personnel)
    mia = ask("mia")
    strong = (403, "identity.role_too_strong")
    assert refusal(give(mia, "vera", bookkeeping)) == strong
    assert refusal(mia.patch(f"/members/{ACME.people['vera'].user_id}", {"role": "admin"})) == strong
    assert refusal(mia.patch(f"/members/{ACME.people['mia'].user_id}", {"role": "owner"})) == strong
    assert refusal(make(mia, "More", ["manage_billing"])) == strong
    assert refusal(mia.patch(f"/roles/{bookkeeping}", {"permissions": ["manage_members"]})) == strong
    assert refusal(mia.patch(f"/roles/{personnel}", {"permissions": ["see_audit"]})) == strong
    assert refusal(mia.delete(f"/roles/{bookkeeping}")) == strong
    assert refusal(mia.post("/invitations", {"email": "new@acme.test", "role": "admin"})) == strong
    assert refusal(mia.post("/invitations", {"email": "new@acme.test", "role_id": bookkeeping})) == strong
    # Nor do they put out, or deactivate, who administers what they do not.
    assert refusal(mia.patch(f"/members/{ACME.people['adam'].user_id}", {"state": "deactivated"})) == strong
    heir = ACME.people["olga"].user_id
    assert refusal(mia.delete(f"/members/{ACME.people['adam'].user_id}?successor_id={heir}")) == strong
    # What they have themselves they may give.
    assert make(mia, "Reception", ["invite_members"]).status_code == 201
    assert give(mia, "vera", personnel).status_code == 200


def test_a_viewer_with_permissions_gives_nobody_the_right_to_change_files(db):
    olga = ask("olga")
    lead = make(olga, "Lead", list(CHOOSABLE), base="viewer").json()["id"]
    give(olga, "vera", lead)
    assert refusal(ask("vera").patch(f"/members/{ACME.people['mia'].user_id}", {"role": "admin"})) == (
        403,
        "identity.role_too_strong",
    )
    assert refusal(make(ask("vera"), "Works", [])) == (403, "identity.role_too_strong")
    assert make(ask("vera"), "Looks", [], base="viewer").status_code == 201


def test_what_only_owners_may_do_is_in_no_role_and_built_in_ones_stay(db):
    olga = ask("olga")
    assert refusal(make(olga, permissions=["delete_vault"])) == (422, "identity.unknown_role")
    for role, role_id in BUILT_IN_IDS.items():
        assert refusal(olga.patch(f"/roles/{role_id}", {"name": "x"})) == (409, "identity.role_built_in"), role
        assert refusal(olga.delete(f"/roles/{role_id}")) == (409, "identity.role_built_in"), role
    for taken in ("Admin", "OWNER", " viewer "):
        assert refusal(make(olga, taken)) == (409, "identity.role_name_taken")
    assert make(olga, "Sales").status_code == 201
    assert refusal(make(olga, "SALES")) == (409, "identity.role_name_taken")
    assert refusal(make(olga, "x" * 61)) == (422, "identity.invalid_name")


def test_a_vault_keeps_an_owner_whatever_role_they_are_to_have(bookkeeping):
    assert refusal(give(ask("olga"), "olga", bookkeeping)) == (409, "identity.last_owner")


def test_a_role_in_use_is_deleted_with_a_successor_for_members_and_invitations(bookkeeping, events):
    olga = ask("olga")
    models.User.objects.filter(pk=ACME.people["olga"].user_id).update(email="olga@acme.test", claimed_email=None)
    give(olga, "mia", bookkeeping)
    invited = olga.post("/invitations", {"email": "bo@acme.test", "role_id": bookkeeping})
    assert invited.json()["custom_role"]["name"] == "Bookkeeping"
    refused = olga.delete(f"/roles/{bookkeeping}")
    assert refusal(refused) == (409, "identity.role_in_use")
    assert (refused.json()["member_count"], refused.json()["invitation_count"]) == (1, 1)
    assert refusal(olga.delete(f"/roles/{bookkeeping}?successor_id={BUILT_IN_IDS[Role.OWNER]}")) == (
        422,
        "identity.unknown_role",
    )
    assert olga.delete(f"/roles/{bookkeeping}?successor_id={BUILT_IN_IDS[Role.VIEWER]}").status_code == 204
    membership = models.Membership.objects.get(user_id=ACME.people["mia"].user_id, tenant_id=ACME.id)
    assert (membership.role, membership.custom_role) == ("viewer", None)
    assert olga.get("/invitations").json()["items"][0]["role"] == "viewer"
    assert ask("mia").get("/audit").status_code == 403
    told = [one for one in events(ACME.id) if one[0].startswith(("identity.role", "identity.member"))]
    assert [kind for kind, _ in told] == [
        "identity.role.created.v1",
        "identity.member.role_changed.v1",
        "identity.role.deleted.v1",
    ]
    assert told[1][1]["role"] == "Bookkeeping"
    assert told[2][1] == {"role_id": bookkeeping, "name": "Bookkeeping", "successor": "viewer"}


def test_what_holds_already_is_no_change_and_no_event(bookkeeping, events):
    before = events(ACME.id)
    assert ask("olga").patch(f"/roles/{bookkeeping}", {"name": "Bookkeeping"}).status_code == 200
    assert events(ACME.id) == before


def test_the_roles_of_another_tenant_are_none(bookkeeping, api):
    boris = api("boris")
    assert boris.patch(f"/roles/{bookkeeping}", {"name": "x"}).status_code == 404
    assert boris.delete(f"/roles/{bookkeeping}").status_code == 404
    assert "Bookkeeping" not in [row["name"] for row in boris.get("/roles").json()["items"]]
    mona = boris.get("/members").json()["items"][0]["id"]
    assert refusal(boris.patch(f"/members/{mona}", {"role_id": bookkeeping})) == (422, "identity.unknown_role")


def test_a_permission_of_a_newer_release_allows_nothing_here():
    assert read_permissions(["see_audit", "fly"]) == {Permission.SEE_AUDIT}


@pytest.mark.committed
def test_a_role_is_not_deleted_under_somebody_who_gets_it(acme, make_actor):
    """Given and deleted at once: the member has it and it is there, or it is gone and they have it not."""
    olga, adam = make_actor("olga"), make_actor("adam")

    def make_role(name):
        with tenancy.entered(acme):
            return api.create_role(actor=olga, name=name, base=Role.MEMBER, permissions=[]).id

    for number in range(6):
        role_id = make_role(f"r{number}")
        failures = []

        def run(act, failures=failures):
            try:
                with tenancy.entered(acme):
                    act()
            except Exception as error:  # noqa: BLE001 - looked at below
                failures.append(type(error).__name__)
            finally:
                connections.close_all()

        acts = [
            lambda role_id=role_id: api.update_member(
                actor=adam, member_id=ACME.people["mia"].user_id, role_id=role_id
            ),
            lambda role_id=role_id: api.delete_role(actor=olga, role_id=role_id),
        ]
        threads = [threading.Thread(target=run, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        has_it = models.Membership.objects.filter(custom_role_id=role_id).exists()
        assert failures in (["RoleInUse"], ["UnknownRole"])
        assert models.CustomRole.objects.filter(pk=role_id).exists() is has_it


def test_the_page_shows_who_has_which_role_and_what_each_allows(bookkeeping, address, django_assert_max_num_queries):
    give(ask("olga"), "mia", bookkeeping)
    queries.forget_remembered()
    browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
    browser.post("/sign-in/", {"email": ACME.people["adam"].email, "password": PASSWORD})
    page = browser.get("/roles/").content.decode()
    assert page.count("data-role-id=") == len(Role) + 1
    assert f'href="/members/?role={bookkeeping}"' in page
    assert "Delete the vault" in page
    members = browser.get(f"/members/?role={bookkeeping}").content.decode()
    assert "mia@acme.test" in members
    assert "vera@acme.test" not in members.partition('id="guests"')[0]
    assert f'value="{bookkeeping}"' in members, "it is offered where somebody is invited"
    theirs = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
    theirs.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    assert theirs.get("/roles/").status_code == 403
    rail = theirs.get("/settings/").content.decode()
    assert 'href="/audit/"' in rail
    assert 'href="/members/"' not in rail
    assert "Bookkeeping" in rail, "the page of one's own account says which role one has"
