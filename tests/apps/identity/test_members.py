import threading
from dataclasses import replace

import pytest
from django.db import connection

from apps.identity import api, errors, models
from bitvault.kernel import tenancy
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
        "identity.member.succeeded.v1",
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


# --- as one of the members -------------------------------------------------------------------------------------------------


def test_a_member_who_is_deactivated_is_let_in_nowhere_here_and_comes_back_as_they_were(
    browser, acme, tenant, make_actor, person, address, events
):
    mia = person("mia")
    store = browser("mia", acme)
    member = api.update_member(actor=make_actor("adam"), member_id=mia.user_id, state="deactivated")
    assert member.state == "deactivated"
    with pytest.raises(errors.InvalidToken):
        api.get_actor_by_token(text=mia.token, address=None)
    assert api.find_actor_by_session(session=store, tenant=acme, address=address) is None
    with pytest.raises(errors.InvalidCredentials):
        api.sign_in(email=mia.email, password=PASSWORD, tenant=acme, address=address)
    assert api.list_tenants_of_user(user_id=mia.user_id) == []
    assert api.list_valid_credentials(session_ids=[], token_ids=[mia.token_id]) == frozenset()
    api.update_member(actor=make_actor("adam"), member_id=member.id, state="active")
    assert api.get_actor_by_token(text=mia.token, address=None).role is Role.MEMBER
    assert [type_ for type_, _ in events(ACME.id)][1:] == [
        "identity.session.ended.v1",
        "identity.member.deactivated.v1",
        "identity.member.reactivated.v1",
    ]


def test_who_is_deactivated_in_one_tenant_is_let_into_others(db, acme, beta, make_actor, person, address):
    api.add_member(tenant=beta, email=person("mia").email, role=Role.MEMBER)
    with tenancy.entered(acme):
        api.update_member(actor=make_actor("adam"), member_id=person("mia").user_id, state="deactivated")
    assert api.sign_in(email=person("mia").email, password=PASSWORD, tenant=beta, address=address)


def test_role_and_state_change_in_one_step_and_what_holds_already_is_no_event(tenant, make_actor, person, events):
    for _ in range(2):
        member = api.update_member(
            actor=make_actor("adam"), member_id=person("mia").user_id, role=Role.VIEWER, state="deactivated"
        )
        assert (member.role, member.state) == (Role.VIEWER, "deactivated")
    assert [type_ for type_, _ in events(ACME.id)] == [
        "identity.member.role_changed.v1",
        "identity.member.deactivated.v1",
    ]


def test_an_administrator_neither_makes_nor_touches_an_owner(tenant, make_actor, person):
    adam, olga = make_actor("adam"), person("olga").user_id
    for act in (
        lambda: api.update_member(actor=adam, member_id=person("mia").user_id, role=Role.OWNER),
        lambda: api.update_member(actor=adam, member_id=olga, role=Role.MEMBER),
        lambda: api.update_member(actor=adam, member_id=olga, state="deactivated"),
        lambda: api.end_membership(actor=adam, member_id=olga, successor_id=adam.user_id),
    ):
        with pytest.raises(errors.RoleTooStrong):
            act()


def test_ownership_is_handed_on_by_making_another_owner_and_stepping_down(tenant, make_actor, person):
    olga = make_actor("olga")
    with pytest.raises(errors.LastOwner):
        api.update_member(actor=olga, member_id=olga.user_id, role=Role.MEMBER)
    api.update_member(actor=olga, member_id=person("adam").user_id, role=Role.OWNER)
    assert api.update_member(actor=olga, member_id=olga.user_id, role=Role.MEMBER).role is Role.MEMBER


def test_an_owner_who_is_deactivated_keeps_no_tenant(tenant, acme, make_actor, person):
    api.change_role(tenant=acme, user_id=person("adam").user_id, role=Role.OWNER)
    api.update_member(actor=make_actor("olga"), member_id=person("adam").user_id, state="deactivated")
    with pytest.raises(errors.LastOwner):
        api.end_membership(
            actor=make_actor("olga"), member_id=person("olga").user_id, successor_id=person("mia").user_id
        )


def test_nobody_deactivates_themselves(tenant, make_actor, person):
    with pytest.raises(Forbidden):
        api.update_member(actor=make_actor("adam"), member_id=person("adam").user_id, state="deactivated")


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_who_does_not_administer_changes_nobody_and_may_leave(tenant, make_actor, person, name):
    actor = make_actor(name)
    with pytest.raises(Forbidden):
        api.update_member(actor=actor, member_id=person("mia").user_id, role=Role.ADMIN)
    with pytest.raises(Forbidden):
        api.end_membership(actor=actor, member_id=person("adam").user_id, successor_id=person("olga").user_id)
    api.end_membership(actor=actor, member_id=actor.user_id, successor_id=person("olga").user_id)
    assert api.find_members(tenant=tenant, user_ids=[actor.user_id]) == []


def test_who_leaves_names_an_active_member_who_may_keep_files(tenant, make_actor, person):
    adam, mia = make_actor("adam", role=Role.OWNER), person("mia").user_id
    api.update_member(actor=make_actor("olga"), member_id=adam.user_id, role=Role.OWNER)
    api.update_member(actor=adam, member_id=person("olga").user_id, state="deactivated")
    for successor in (mia, person("vera").user_id, person("olga").user_id, person("boris").user_id):
        with pytest.raises(errors.InvalidSuccessor):
            api.end_membership(actor=adam, member_id=mia, successor_id=successor)
    api.end_membership(actor=adam, member_id=mia, successor_id=adam.user_id)


def test_what_somebody_held_is_whose_who_is_there_after_all_who_have_left(tenant, acme, make_actor, person, events):
    mia, adam, olga = (person(name).user_id for name in ("mia", "adam", "olga"))
    assert api.find_succession(tenant=acme, user_id=mia) is None
    api.end_membership(actor=make_actor("olga"), member_id=mia, successor_id=adam)
    assert api.find_succession(tenant=acme, user_id=mia).successor_id == adam
    assert ("identity.member.succeeded.v1", {"user_id": str(mia), "successor_id": str(adam)}) in events(ACME.id)
    api.end_membership(actor=make_actor("olga"), member_id=adam, successor_id=olga)
    found = api.find_succession(tenant=acme, user_id=mia)
    assert ([one.name for one in found.left], found.successor_id) == (["Mia", "Adam"], olga)
    api.add_member(tenant=acme, email="mia@acme.test", role=Role.MEMBER)
    assert api.find_succession(tenant=acme, user_id=mia) is None


def test_members_are_found_by_a_part_of_their_name_or_address_by_role_and_by_state(tenant, make_actor, person):
    adam = make_actor("adam")
    api.update_member(actor=adam, member_id=person("vera").user_id, state="deactivated")

    def found(**wanted):
        return sorted(member.user.name for member in api.list_members(actor=adam, **wanted).items)

    assert found(text="MIA") == ["Mia"]
    assert found(text="@acme") == ["Adam", "Mia", "Olga", "Vera"]
    assert found(text="100%") == []
    assert found(role=Role.OWNER) == ["Olga"]
    assert found(state="deactivated") == ["Vera"]


def test_the_list_tells_when_somebody_was_last_here_by_browser_or_by_program(browser, acme, tenant, make_actor, person):
    browser("mia", acme)
    api.get_actor_by_token(text=person("vera").token, address=None)
    seen = {one.user.name: one.last_seen_at for one in api.list_members(actor=make_actor("adam")).items}
    assert seen["Mia"] is not None
    assert seen["Vera"] is not None
    assert seen["Olga"] is None


@pytest.mark.committed
def test_two_who_put_each_other_out_do_not_wait_for_each_other_in_a_circle(acme, make_actor, person):
    """Each is the other's successor: one goes, and the other finds that their successor is not there."""
    olga = make_actor("olga")
    for _ in range(10):
        names = ("mia", "adam")
        barrier, outcomes = threading.Barrier(2), []

        def put_out(leaving, staying):
            barrier.wait()  # noqa: B023 - both threads end within the loop
            try:
                with tenancy.entered(acme):
                    api.end_membership(
                        actor=olga, member_id=person(leaving).user_id, successor_id=person(staying).user_id
                    )
                outcomes.append("out")  # noqa: B023 - both threads end within the loop
            except (errors.InvalidSuccessor, NotFound) as error:
                outcomes.append(type(error).__name__)  # noqa: B023 - both threads end within the loop
            finally:
                connection.close()

        threads = [threading.Thread(target=put_out, args=pair) for pair in (names, names[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["InvalidSuccessor", "out"]
        for name in names:
            if not api.find_members(tenant=acme, user_ids=[person(name).user_id]):
                api.add_member(tenant=acme, email=person(name).email, role=Role.MEMBER)
