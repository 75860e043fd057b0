"""Groups: who makes and fills them, what they are to an actor, and what a change costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.identity import api, errors, models
from bitvault.kernel import clock, ids, tenancy
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Forbidden, NotFound
from tests.support.world import ACME, BETA


@pytest.fixture
def adam(tenant, make_actor):
    return make_actor("adam")


@pytest.fixture
def mia(tenant, make_actor):
    return make_actor("mia")


@pytest.fixture
def design(adam):
    return api.create_group(actor=adam, name="Design")


def put(actor, group, name, **changes):
    return api.put_group_member(
        actor=actor, group_id=group.id, user_id={**ACME.people, **BETA.people}[name].user_id, **changes
    )


def held_by(name):
    """The groups that a request of this person carries."""
    actor = api.get_actor_by_token(text=ACME.people[name].token, address=None)
    return set(actor.groups)


def test_an_administrator_makes_renames_and_deletes_a_group(adam, design, events):
    assert (design.name, design.parent_id, design.member_count) == ("Design", None, 0)
    for _ in range(2):
        assert api.update_group(actor=adam, group_id=design.id, name="Designers").name == "Designers"
    assert [group.name for group in api.list_groups(actor=adam).items] == ["Designers"]
    api.delete_group(actor=adam, group_id=design.id)
    assert api.list_groups(actor=adam).items == []
    assert [type_ for type_, _ in events(ACME.id)] == [
        "identity.group.created.v1",
        "identity.group.changed.v1",
        "identity.group.deleted.v1",
    ]


def test_others_make_and_change_none_and_see_which_there_are(adam, mia, design):
    for act in (
        lambda: api.create_group(actor=mia, name="Mine"),
        lambda: api.update_group(actor=mia, group_id=design.id, name="Mine"),
        lambda: api.delete_group(actor=mia, group_id=design.id),
        lambda: put(mia, design, "mia"),
        lambda: api.list_group_members(actor=mia, group_id=design.id),
    ):
        with pytest.raises(Forbidden):
            act()
    assert [group.name for group in api.list_groups(actor=mia).items] == ["Design"]


def test_a_name_is_taken_whatever_its_case(adam, design):
    with pytest.raises(errors.GroupNameTaken):
        api.create_group(actor=adam, name="DESIGN")
    other = api.create_group(actor=adam, name="Sales")
    with pytest.raises(errors.GroupNameTaken):
        api.update_group(actor=adam, group_id=other.id, name="design")


def test_a_person_in_a_group_in_a_group_belongs_to_both(adam, design):
    icons = api.create_group(actor=adam, name="Icons", parent_id=design.id)
    put(adam, icons, "mia")
    put(adam, design, "vera")
    assert held_by("mia") == {icons.id, design.id}
    assert held_by("vera") == {design.id}
    assert held_by("adam") == set()
    api.update_group(actor=adam, group_id=icons.id, changes_parent=True)
    assert held_by("mia") == {icons.id}


def test_what_is_changed_counts_with_the_next_request(adam, mia, design):
    put(adam, design, "mia")
    assert held_by("mia") == {design.id}
    api.remove_group_member(actor=adam, group_id=design.id, user_id=mia.user_id)
    assert held_by("mia") == set()
    put(adam, design, "mia")
    assert held_by("mia") == {design.id}
    api.delete_group(actor=adam, group_id=design.id)
    assert held_by("mia") == set()


def test_a_session_carries_the_groups_too(browser, adam, acme, mia, design):
    put(adam, design, "mia")
    actor = api.find_actor_by_session(session=browser("mia", acme), tenant=acme, address=None)
    assert actor.groups == (design.id,)


def test_groups_are_nested_once(adam, design):
    icons = api.create_group(actor=adam, name="Icons", parent_id=design.id)
    company = api.create_group(actor=adam, name="Company")
    for group_id, parent_id in ((design.id, design.id), (design.id, icons.id), (design.id, company.id)):
        with pytest.raises(errors.GroupsNestedTooDeep):
            api.update_group(actor=adam, group_id=group_id, parent_id=parent_id, changes_parent=True)
    with pytest.raises(errors.GroupsNestedTooDeep):
        api.create_group(actor=adam, name="Deeper", parent_id=icons.id)
    api.delete_group(actor=adam, group_id=design.id)
    assert (
        api.update_group(actor=adam, group_id=icons.id, parent_id=company.id, changes_parent=True).parent_id
        == company.id
    )


def test_a_groups_manager_fills_it_and_only_administrators_say_who_manages(adam, mia, design, person):
    put(adam, design, "mia", is_manager=True)
    put(mia, design, "vera")
    with pytest.raises(Forbidden):
        put(mia, design, "vera", is_manager=True)
    with pytest.raises(Forbidden):
        put(mia, design, "mia", is_manager=False)
    found = {
        member.user.name: member.is_manager for member in api.list_group_members(actor=mia, group_id=design.id).items
    }
    assert found == {"Mia": True, "Vera": False}
    api.remove_group_member(actor=mia, group_id=design.id, user_id=person("vera").user_id)
    with pytest.raises(NotFound):
        api.remove_group_member(actor=mia, group_id=design.id, user_id=person("vera").user_id)


def test_somebody_leaves_a_group_by_themselves(adam, mia, design):
    put(adam, design, "mia")
    api.remove_group_member(actor=mia, group_id=design.id, user_id=mia.user_id)
    with pytest.raises(NotFound):
        api.get_group_member(actor=adam, group_id=design.id, user_id=mia.user_id)


def test_what_holds_already_is_no_event(adam, design, events):
    before = len(events(ACME.id))
    for _ in range(3):
        put(adam, design, "mia")
    assert [type_ for type_, _ in events(ACME.id)][before:] == ["identity.group.member_added.v1"]


def test_nobody_of_another_tenant_is_put_into_a_group(adam, design):
    with pytest.raises(NotFound):
        put(adam, design, "boris")


def test_a_group_of_another_tenant_is_not_there(adam, design):
    models.Group.objects.filter(pk=design.id).update(tenant_id=BETA.id)
    for act in (
        lambda: api.update_group(actor=adam, group_id=design.id, name="Mine"),
        lambda: api.delete_group(actor=adam, group_id=design.id),
        lambda: put(adam, design, "mia"),
        lambda: api.list_group_members(actor=adam, group_id=design.id),
        lambda: api.remove_group_member(actor=adam, group_id=design.id, user_id=adam.user_id),
        lambda: api.create_group(actor=adam, name="In it", parent_id=design.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert api.find_groups(tenant=adam.tenant, group_ids=[design.id]) == []


def test_who_leaves_the_tenant_is_in_none_of_its_groups_when_they_come_back(adam, acme, design):
    put(adam, design, "mia")
    api.remove_member(tenant=acme, user_id=ACME.people["mia"].user_id)
    api.add_member(tenant=acme, email="mia@acme.test", role=Role.MEMBER)
    assert api.list_group_members(actor=adam, group_id=design.id).items == []


@pytest.mark.committed
@pytest.mark.usefixtures("lasting_memory")
def test_a_change_costs_the_same_in_a_large_group_as_in_a_small_one(acme, make_actor):
    """Counted in statements and in rows that they read: nothing of a change looks at the others of the group."""
    adam = make_actor("adam")
    costs = []
    with tenancy.entered(acme):
        for size in (10, 5000):
            group = api.create_group(actor=adam, name=f"of {size}")
            people = [
                models.User(id=ids.new_id(), email=f"{size}-{number}@crowd.test", password="!")
                for number in range(size)
            ]
            models.User.objects.bulk_create(people)
            models.GroupMember.objects.bulk_create(
                models.GroupMember(id=ids.new_id(), group_id=group.id, user=one, added_at=clock.now()) for one in people
            )
            with CaptureQueriesContext(connection) as asked:
                put(adam, group, "mia")
                put(adam, group, "mia", is_manager=True)
                api.remove_group_member(actor=adam, group_id=group.id, user_id=ACME.people["mia"].user_id)
            costs.append([query["sql"].split(" ")[0] for query in asked])
            assert not [query["sql"] for query in asked if "count(" in query["sql"].lower()]
    assert costs[0] == costs[1]
