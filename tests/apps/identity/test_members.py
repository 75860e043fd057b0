import threading
from dataclasses import replace

import pytest
from django.db import connection

from apps.identity import api, errors, models
from bitvault.kernel.actor import Role, Scope, ScopeMissing
from bitvault.kernel.errors import Forbidden, NotFound
from tests.support.world import ACME, PASSWORD

GOOD = "a sentence that nobody else has"


def test_somebody_new_comes_in_with_their_password(db, acme, email, address, events):
    member = api.add_member(tenant=acme, email=email.upper(), role=Role.VIEWER, name="Nina", password=GOOD)
    assert (member.user.email, member.user.name, member.role) == (email, "Nina", Role.VIEWER)
    assert api.sign_in(email=email, password=GOOD, tenant=acme, address=address)
    assert events(ACME.id) == [
        ("identity.member.added.v1", {"user_id": str(member.user.id), "role": "viewer"}),
    ]


def test_somebody_known_keeps_their_password(db, beta, person, address):
    api.add_member(tenant=beta, email=person("mia").email, role=Role.MEMBER, password=GOOD)
    assert api.sign_in(email=person("mia").email, password=PASSWORD, tenant=beta, address=address)


def test_somebody_without_a_password_cannot_sign_in(db, acme, email, address):
    api.add_member(tenant=acme, email=email, role=Role.MEMBER)
    for password in ("", "!", GOOD):
        with pytest.raises(errors.InvalidCredentials):
            api.sign_in(email=email, password=password, tenant=acme, address=address)


def test_a_member_is_not_added_twice(db, acme, person):
    with pytest.raises(errors.AlreadyMember):
        api.add_member(tenant=acme, email=person("mia").email, role=Role.ADMIN)
    assert models.Membership.objects.get(tenant_id=acme.id, user_id=person("mia").user_id).role == "member"


def test_a_role_changes_with_its_event_and_the_same_one_is_no_change(db, acme, person, events):
    for _ in range(2):
        member = api.change_role(tenant=acme, user_id=person("mia").user_id, role=Role.ADMIN)
        assert member.role is Role.ADMIN
    assert events(ACME.id) == [
        (
            "identity.member.role_changed.v1",
            {"user_id": str(person("mia").user_id), "role": "admin", "previous_role": "member"},
        ),
    ]


def test_the_database_knows_four_roles(db, acme, person):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        models.Membership.objects.filter(tenant_id=acme.id).update(role="god")


def test_the_last_owner_stays_an_owner(db, acme, person):
    olga = person("olga").user_id
    with pytest.raises(errors.LastOwner):
        api.remove_member(tenant=acme, user_id=olga)
    with pytest.raises(errors.LastOwner):
        api.change_role(tenant=acme, user_id=olga, role=Role.ADMIN)
    api.change_role(tenant=acme, user_id=olga, role=Role.OWNER)
    api.change_role(tenant=acme, user_id=person("adam").user_id, role=Role.OWNER)
    api.remove_member(tenant=acme, user_id=olga)
    with pytest.raises(errors.LastOwner):
        api.remove_member(tenant=acme, user_id=person("adam").user_id)


@pytest.mark.committed
def test_two_owners_cannot_put_each_other_out(acme, person):
    people = [person("olga").user_id, person("adam").user_id]
    api.change_role(tenant=acme, user_id=people[1], role=Role.OWNER)
    outcomes = []

    def leave(user_id):
        try:
            api.remove_member(tenant=acme, user_id=user_id)
            outcomes.append("out")
        except errors.LastOwner:
            outcomes.append("stays")
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=(user_id,)) for user_id in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["out", "stays"]
    assert models.Membership.objects.filter(tenant_id=acme.id, role="owner").count() == 1


def test_a_person_of_another_tenant_is_no_member_here(db, acme, person):
    with pytest.raises(NotFound):
        api.change_role(tenant=acme, user_id=person("boris").user_id, role=Role.OWNER)
    with pytest.raises(NotFound):
        api.remove_member(tenant=acme, user_id=person("boris").user_id)


def test_putting_a_member_out_ends_what_they_had_here_in_one_commit(browser, acme, person, events):
    browser("mia", acme)
    api.remove_member(tenant=acme, user_id=person("mia").user_id, removed_by=person("olga").user_id)
    assert [type_ for type_, _ in events(ACME.id)][1:] == [
        "identity.session.ended.v1",
        "identity.token.revoked.v1",
        "identity.member.removed.v1",
    ]
    assert api.list_tenants_of_user(user_id=person("mia").user_id) == []


def test_those_who_administer_see_who_is_in_the_vault_page_by_page(tenant, make_actor):
    first = api.list_members(actor=make_actor("adam"), limit=3)
    rest = api.list_members(actor=make_actor("adam"), limit=3, cursor=first.next_cursor)
    assert {member.user.email for member in (*first.items, *rest.items)} == {one.email for one in ACME.people.values()}
    assert (len(first.items), rest.next_cursor) == (3, None)


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_others_do_not(tenant, make_actor, name):
    with pytest.raises(Forbidden):
        api.list_members(actor=make_actor(name))


def test_a_token_that_was_not_made_for_administering_does_not_either(tenant, make_actor):
    with pytest.raises(ScopeMissing):
        api.list_members(actor=replace(make_actor("adam"), scopes=frozenset({Scope.FILES_READ})))


def test_people_are_found_who_are_members_here(db, acme, person):
    asked = [person(name).user_id for name in ("vera", "mia", "boris")]
    assert [member.user.name for member in api.find_members(tenant=acme, user_ids=asked)] == ["Mia", "Vera"]
