"""Leaving what came by a group or with everyone: gone for that person alone, on devices too, until they take it back."""

import pytest

from apps.files import api as files
from apps.identity import api as identity
from apps.sharing import api as sharing
from apps.sharing.dtos import Grant, Principal
from apps.sharing.models import LeftShare
from bitvault.kernel import db
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import assert_events_tell_all, events, last_seq
from tests.support.shares import filled, live, share


@pytest.fixture
def vera(make_actor):
    return live(make_actor("vera", role=Role.MEMBER))


@pytest.fixture
def olga(make_actor):
    return live(make_actor("olga", role=Role.MEMBER))


@pytest.fixture
def plans(tree):
    folder = tree.folder("Plans")
    tree.file("q3.txt", folder, b"figures")
    return folder


def list_received(actor):
    return [item.node.name for item in sharing.list_shared_with_me(actor=actor).items]


def test_who_leaves_what_everyone_has_loses_it_alone_and_takes_it_back(tree, vera, olga, plans):
    made = share(tree.actor, plans, "everyone", "editor")
    before = last_seq()
    for _ in range(2):  # sent again, since the answer was lost
        sharing.leave_share(actor=vera, share_id=made.id)
    assert list_received(vera) == []
    with pytest.raises(NotFound):
        files.get_node(actor=vera, node_id=plans.id)
    assert list_received(olga) == ["Plans"]
    (left,) = sharing.list_left_shares(actor=vera).items
    assert (left.node.name, left.share.id, left.share.principal.type) == ("Plans", made.id, "everyone")
    assert sharing.list_left_shares(actor=olga).items == []

    for _ in range(2):
        sharing.take_share_back(actor=vera, share_id=made.id)
    assert list_received(vera) == ["Plans"]
    assert files.get_node(actor=vera, node_id=plans.id).capabilities[-1] == "edit"
    assert sharing.list_left_shares(actor=vera).items == []
    assert [kind for kind, _ in events(before)] == ["sharing.share.left.v1", "sharing.share.rejoined.v1"]
    assert_events_tell_all()


def test_what_was_left_is_reached_by_every_other_share(tree, vera, plans):
    made = share(tree.actor, plans, "everyone", "editor")
    share(tree.actor, plans, vera, "viewer")
    sharing.leave_share(actor=vera, share_id=made.id)
    assert files.get_node(actor=vera, node_id=plans.id).capabilities == ("view", "download")


def test_a_share_of_a_group_is_left_and_ends_with_all_that_was_left_of_it(tree, tenant, make_actor, plans):
    adam = make_actor("adam")
    group = identity.create_group(actor=adam, name="Planners")
    identity.put_group_member(actor=adam, group_id=group.id, user_id=make_actor("vera").user_id)
    vera = live(make_actor("vera", role=Role.MEMBER, groups=(group.id,)))
    wish = Grant(principal=Principal(type="group", id=group.id), role="viewer")
    made = sharing.put_share(actor=filled(tree.actor), node_id=plans.id, grant=wish)
    sharing.leave_share(actor=vera, share_id=made.id)
    assert list_received(vera) == []
    sharing.revoke_share(actor=filled(tree.actor), share_id=made.id)
    with db.read_transaction():
        assert not LeftShare.objects.exists()
    sharing.put_share(actor=filled(tree.actor), node_id=plans.id, grant=wish)
    assert list_received(vera) == ["Plans"]  # given again, it is another share


def test_nobody_leaves_what_does_not_reach_them(tree, vera, olga, plans):
    made = share(tree.actor, plans, olga, "viewer")
    for act in (sharing.leave_share, sharing.take_share_back):
        with pytest.raises(NotFound):
            act(actor=vera, share_id=made.id)


def test_the_owner_is_told_why_who_has_left_does_not_reach_it(tree, vera, plans):
    made = share(tree.actor, plans, "everyone", "viewer")
    sharing.leave_share(actor=vera, share_id=made.id)
    who = Principal(type="user", id=vera.user_id)
    told = sharing.get_access(actor=filled(tree.actor), node_id=plans.id, principal=who)
    assert (told.asked.why_not, told.asked.capabilities, told.items) == ("left", (), [])
