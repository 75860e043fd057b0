"""Team folders on people's devices: what is gained comes as a subtree, what is lost is removed, and a move is seen from both sides."""

import pytest

from apps.files import api as files
from apps.files import limits
from apps.sync import api as sync
from bitvault.kernel.capabilities import READING, names_of
from tests.apps.files.conftest import Tree
from tests.apps.sync.following import Device, fresh_tree, project
from tests.support.shares import grant, live, make_team, share_only


@pytest.fixture
def adam(tenant, make_actor):
    return Tree(make_actor("adam"))


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def mia_edits(actor):
    return grant(actor, "editor")


@pytest.fixture
def team(adam, mia_edits):
    """A team folder of mia's and adam's with a file in it."""
    made = make_team(adam.actor, "Design", mia_edits)
    adam.file("plan.txt", adam.folder("Plans", made))
    project()
    return made


@pytest.fixture
def device(tree, team):
    device = Device(tree.actor)
    device.follow()
    device.told.clear()
    return device


def change(adam, team, *grants):
    share_only(adam.actor, team, *grants)
    project()


def told(device):
    device.told.clear()
    device.follow()
    entries = [(entry.op, entry.node.name if entry.node else entry.node_id) for entry in device.told]
    return list(dict.fromkeys(entries))  # behind a subtree the journal may name its nodes once more


def test_a_snapshot_holds_it_with_what_the_person_may_do(tree, team):
    device = Device(tree.actor)
    page = device.take_snapshot()
    assert device.nodes == fresh_tree(tree.actor)
    strongest = {node.name: node.capabilities[-1] for node in page.items}
    assert strongest == {"My files": "manage", "Design": "edit", "Plans": "edit", "plan.txt": "edit"}


@pytest.mark.parametrize("way", ["by name", "as everyone"])
def test_who_gains_one_is_told_its_subtree_parents_first(adam, team, make_actor, way):
    vera = live(make_actor("vera"))
    device = Device(vera)
    device.follow()
    assert device.nodes == {}
    if way == "by name":
        change(adam, team, grant(vera, "viewer"))
    else:
        change(adam, team, grant("everyone", "viewer"))
    assert told(device) == [("upsert", "Design"), ("upsert", "Plans"), ("upsert", "plan.txt")]
    assert device.nodes == fresh_tree(vera)


@pytest.mark.parametrize("way", ["not by name any more", "not as everyone any more", "ended"])
def test_who_loses_one_is_told_one_removal(tree, adam, team, device, way, mia_edits):
    if way == "not as everyone any more":
        change(adam, team, grant("everyone", "viewer"))
        device.follow()
        change(adam, team)
    elif way == "not by name any more":
        change(adam, team)
    else:
        files.end_team_folder(actor=adam.actor, folder_id=team.id)
        project()
    assert told(device) == [("removed", team.id)]
    assert device.nodes == fresh_tree(tree.actor)
    if way == "ended":
        files.restore_team_folder(actor=adam.actor, folder_id=team.id)
        project()
    else:
        change(adam, team, mia_edits)
    assert [what for _, what in told(device)] == ["Design", "Plans", "plan.txt"]
    assert device.nodes == fresh_tree(tree.actor)


def test_a_move_into_one_is_seen_by_both_persons_devices_as_each_of_them_may(tree, adam, team, device):
    own = tree.folder("mine")
    tree.file("a.txt", own)
    project()
    adams = Device(adam.actor)
    adams.follow()
    device.follow()
    assert own.id not in adams.nodes
    moved = tree.update(own, parent_id=team.id)
    project()
    assert told(adams) == [("upsert", "mine"), ("upsert", "a.txt")]
    device.follow()
    for one in (device, adams):
        assert one.nodes[own.id]["parent_id"] == team.id
    tree.update(moved, parent_id=tree.root.id)
    project()
    assert told(adams) == [("removed", own.id)]
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)
    assert adams.nodes == fresh_tree(adam.actor)


def test_other_capabilities_show_on_the_folder_itself(tree, adam, team, device):
    change(adam, team, grant(tree.actor, "viewer"))
    page = device.pull()
    assert [(entry.node_id, entry.node.capabilities) for entry in page.items] == [(team.id, names_of(READING))]


def test_a_change_of_access_moves_the_head_that_sockets_are_told(tree, adam, team):
    before = sync.get_head(actor=tree.actor)
    change(adam, team)
    assert sync.get_head(actor=tree.actor) > before


def test_nothing_of_one_that_is_closed_is_told(adam, team, make_actor):
    device = Device(make_actor("vera"))
    adam.file("more.txt", team)
    project()
    assert told(device) == []


def test_a_cursor_that_knows_as_many_as_there_can_be_still_fits_into_an_address(adam, tree, monkeypatch):
    monkeypatch.setattr(limits, "TEAM_FOLDER_LIMIT", 20)  # a fifth of it tells the whole, and is sooner there
    for number in range(20):
        make_team(adam.actor, f"Team {number}", grant("everyone", "viewer"))
    project()
    device = Device(tree.actor)
    bare = len(device.cursor)
    device.follow()
    assert len(device.nodes) == 21
    assert bare + (len(device.cursor) - bare) * 5 < 8000
