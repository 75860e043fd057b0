"""What a device of a recipient does in a share, and what its owner has afterwards (decision 0025): nothing there is a loss for the owner."""

from dataclasses import replace

import pytest

from apps.files import api as files
from apps.files.errors import RootFixed
from apps.sharing import api as sharing
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import Tree
from tests.apps.sync.acting import Worker
from tests.apps.sync.following import Device, fresh_tree, project
from tests.support.shares import live, share


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def olga(make_actor):
    """Somebody who reaches nothing of mia's but what is shared with them."""
    return live(replace(make_actor("olga"), role=Role.MEMBER))


@pytest.fixture
def plans(tree):
    """A folder of mia's with a file and a folder in it."""
    folder = tree.folders("Private/Plans")
    tree.file("plan.txt", folder, b"first")
    tree.folder("old", folder)
    return folder


@pytest.fixture
def owners(tree, plans):
    """A device of the owner's."""
    project()
    device = Device(tree.actor)
    device.follow()
    return device


@pytest.fixture
def hers(olga, plans):
    """A device of the recipient's; ``give`` shares the folder with her."""
    Tree(olga)
    return Worker(olga, "laptop")


def give(tree, plans, device, role):
    given = share(tree.actor, plans, device.actor, role)
    device.catch_up()
    return given


def inside(device, name):
    return next(one for one, node in device.nodes.items() if node["name"] == name)


def assert_both_have_what_they_reach(*devices):
    project()
    for device in devices:
        device.follow()
        assert device.nodes == fresh_tree(device.actor)


def test_who_deletes_the_shared_node_leaves_it_and_nothing_of_the_owner_s_goes(tree, owners, hers, plans):
    give(tree, plans, hers, "editor")
    before = fresh_tree(tree.actor)
    with pytest.raises(RootFixed):
        files.trash_node(actor=hers.actor, node_id=plans.id)
    (mine,) = [
        one
        for one in sharing.list_shares(actor=hers.actor, node_id=plans.id).items
        if one.principal.id == hers.actor.user_id
    ]
    sharing.revoke_share(actor=hers.actor, share_id=mine.id)
    hers.told.clear()
    assert_both_have_what_they_reach(owners, hers)
    assert [(change.op, change.node_id) for change in hers.told] == [("removed", plans.id)]
    assert fresh_tree(tree.actor) == before == owners.nodes
    assert files.list_trash(actor=tree.actor).items == []


def test_what_everyone_was_given_nobody_can_leave_alone(tree, hers, plans):
    share(tree.actor, plans, "everyone", "viewer")
    hers.catch_up()
    (given,) = sharing.list_shares(actor=hers.actor, node_id=plans.id).items
    assert given.principal.type == "everyone"
    with pytest.raises(Forbidden):
        sharing.revoke_share(actor=hers.actor, share_id=given.id)


def test_a_deletion_inside_goes_into_the_owner_s_trash(tree, owners, hers, plans):
    give(tree, plans, hers, "editor")
    files.trash_node(actor=hers.actor, node_id=inside(hers, "plan.txt"))
    assert_both_have_what_they_reach(owners, hers)
    (item,) = files.list_trash(actor=tree.actor).items
    assert item.name == "plan.txt"
    files.restore_node(actor=tree.actor, node_id=item.id)
    assert_both_have_what_they_reach(owners, hers)
    assert inside(hers, "plan.txt")


@pytest.mark.parametrize("role", ["viewer", "contributor", "editor"])
def test_nothing_is_moved_out_of_the_owner_s_tree(tree, owners, hers, plans, role):
    give(tree, plans, hers, role)
    file_id = inside(hers, "plan.txt")
    with pytest.raises(Forbidden):
        files.update_node(
            actor=hers.actor,
            node_id=file_id,
            parent_id=hers.tree.root.id,
            expected_revision=hers.nodes[file_id]["revision"],
        )
    assert_both_have_what_they_reach(owners, hers)
    assert hers.nodes[file_id]["parent_id"] == plans.id


def test_who_manages_it_may_move_out_what_lies_in_it(tree, owners, hers, plans):
    give(tree, plans, hers, "manager")
    file_id = inside(hers, "plan.txt")
    files.update_node(actor=hers.actor, node_id=file_id, parent_id=hers.tree.root.id, expected_revision="any")
    assert_both_have_what_they_reach(owners, hers)
    assert file_id not in owners.nodes
    assert hers.nodes[file_id]["parent_id"] == hers.tree.root.id


def test_what_is_moved_into_a_share_is_the_owner_s_and_comes_with_all_below(tree, owners, hers, plans):
    own = hers.tree.folder("mine")
    hers.tree.file("deep.txt", hers.tree.folder("inner", own))
    given = give(tree, plans, hers, "contributor")
    hers.tree.update(own, parent_id=plans.id)
    assert_both_have_what_they_reach(owners, hers)
    assert inside(owners, "deep.txt")
    sharing.revoke_share(actor=tree.actor, share_id=given.id)
    assert_both_have_what_they_reach(owners, hers)
    assert own.id in owners.nodes
    assert own.id not in hers.nodes


@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("commenter", False), ("contributor", False), ("editor", True)]
)
def test_an_edit_needs_the_capability(tree, owners, hers, plans, role, may):
    give(tree, plans, hers, role)
    file = hers.tree.get(inside(hers, "plan.txt"))
    if may:
        hers.tree.write(file, b"second")
    else:
        with pytest.raises(Forbidden):
            hers.tree.write(file, b"second")
    assert_both_have_what_they_reach(owners, hers)
    assert (tree.get(file.id).revision > file.revision) is may


def test_edits_of_owner_and_recipient_that_meet_are_both_kept(tree, owners, hers, plans):
    give(tree, plans, hers, "editor")
    file = hers.tree.get(inside(hers, "plan.txt"))
    tree.write(file, b"of the owner")
    copy = hers.tree.write(file, b"of the recipient").node
    assert copy.id != file.id
    assert_both_have_what_they_reach(owners, hers)
    assert hers.nodes[copy.id]["parent_id"] == owners.nodes[copy.id]["parent_id"] == plans.id


def test_an_upload_that_is_on_its_way_when_the_share_ends_is_refused(tree, hers, plans):
    given = give(tree, plans, hers, "editor")
    allowed = hers.tree.grant("late.txt", plans)
    sharing.revoke_share(actor=tree.actor, share_id=given.id)
    with pytest.raises((NotFound, Forbidden)):
        files.authorise_upload(actor=hers.actor, parent_id=plans.id, name="later.txt", size_bytes=3)
    with pytest.raises((NotFound, Forbidden)):
        hers.tree.commit(allowed)
    assert tree.names(plans) == ["old", "plan.txt"]
