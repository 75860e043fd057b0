"""What is gone is told last: a device that drops a folder with all below it never drops what was moved out of it before."""

import random

import pytest

from apps.files import api as files
from apps.files import errors
from apps.sync import api as sync
from apps.sync.errors import CursorExpired
from bitvault.kernel.errors import NotFound
from tests.apps.sync.following import Device, fresh_tree, head, project, set_horizon

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[1, 2, 3, 200])
def device(request, tree):
    project()
    return Device(tree.actor, limit=request.param)


def lay(tree, device):
    """Make ``top/inner/moved/kept.txt`` and tell the device of it; gives the three folders."""
    top = tree.folder("top", autorename=True)
    inner = tree.folder("inner", top)
    moved = tree.folder("moved", inner)
    tree.file("kept.txt", moved)
    project()
    device.follow()
    return top, inner, moved


def test_what_left_a_folder_before_it_went_into_the_trash_stays(tree, device):
    for going in (0, 1):
        folders = lay(tree, device)
        tree.update(folders[1], name="renamed")
        tree.update(folders[2], parent_id=tree.root.id, name=f"moved {going}")
        tree.trash(folders[going])
        project()
        device.follow()
        assert device.nodes == fresh_tree(tree.actor)


def test_so_it_does_when_the_trash_was_emptied(tree, device):
    top, inner, moved = lay(tree, device)
    tree.update(inner, name="renamed")
    tree.update(moved, parent_id=tree.root.id)
    tree.trash(top)
    files.purge_node(actor=tree.actor, node_id=top.id)
    project()
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_what_came_into_a_folder_before_it_went_is_gone_with_it(tree, device):
    _, inner, _ = lay(tree, device)
    other = tree.folder("other")
    tree.update(inner, parent_id=other.id)
    tree.trash(other)
    project()
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_what_went_before_the_feed_had_told_of_it_is_told_to_be_gone(tree, device):
    """Who made it knows of it by the answer, and nobody else would tell them."""
    top, inner, _ = lay(tree, device)
    made = [tree.folder("made", top), tree.file("made.txt", top), tree.folder("made too", inner)]
    tree.trash(made[0])
    tree.trash(made[1])
    tree.trash(inner)
    project()
    device.told.clear()
    device.follow()
    assert {change.node_id for change in device.told if change.op == "removed"} == {*(one.id for one in made), inner.id}
    assert device.nodes == fresh_tree(tree.actor)


def test_numbers_do_not_fall_and_a_deletion_alone_has_its_own(tree, device):
    tree.trash(lay(tree, device)[0])
    project()
    device.told.clear()
    device.follow()
    assert [(change.op, change.seq) for change in device.told] == [("removed", head())]
    for name in ("b", "c", "d"):
        tree.trash(tree.folder(name))
        tree.folder(f"{name} stays")
    project()
    device.follow()
    numbers = [change.seq for change in device.told]
    assert numbers == sorted(numbers)
    assert device.nodes == fresh_tree(tree.actor)


def test_a_page_holds_no_more_than_was_asked_for(tree, device):
    for number in range(7):
        tree.trash(tree.folder(f"gone {number}"))
        tree.folder(f"there {number}")
    project()
    while (page := device.pull()).has_more:
        assert len(page.items) <= device.limit
    assert device.nodes == fresh_tree(tree.actor)


def test_the_journal_is_needed_from_where_the_device_was_told_what_is_gone(tree):
    project()
    device = Device(tree.actor, limit=1)
    device.follow()
    begun = head()
    for folder in [tree.folder(f"{number}") for number in range(3)]:
        project()
        tree.trash(folder)
    tree.folder("last")
    project()
    device.pull()
    device.pull()
    set_horizon(begun + 1)
    with pytest.raises(CursorExpired):
        device.pull()
    device.take_snapshot()
    assert device.nodes == fresh_tree(tree.actor)


def test_the_room_of_an_acknowledgement_is_what_is_told_whole(tree, device):
    tree.trash(lay(tree, device)[0])
    tree.folder("b")
    tree.folder("c")
    project()
    while device.pull().has_more:
        acknowledged = sync.acknowledge(actor=tree.actor, cursor=device.cursor)
        assert acknowledged.seq < head()
    assert sync.acknowledge(actor=tree.actor, cursor=device.cursor).seq == head()


@pytest.mark.parametrize("seed", range(9))
def test_whatever_moves_and_goes_while_a_device_reads_slowly_it_ends_with_the_tree(tree, seed):
    chance = random.Random(seed)
    folders = [tree.root, *(tree.folder(f"{number}") for number in range(4))]
    project()
    devices = [Device(tree.actor, name=f"{limit}", limit=limit) for limit in (1, 3, 50)]
    for device in devices:
        device.follow()
    trashed = []
    for number in range(100):
        node, other = chance.choice(folders[1:]), chance.choice(folders)
        try:
            match chance.choice(["make", "make", "move", "move", "move", "rename", "rename", "trash", "restore"]):
                case "make":
                    folders.append(tree.folder(f"{number}", other))
                    tree.file("file", folders[-1])
                case "move":
                    tree.update(node, parent_id=other.id, expected_revision="any")
                case "rename":
                    tree.update(node, name=f"renamed {number}", expected_revision="any")
                case "trash":
                    tree.trash(node)
                    trashed.append(node)
                case "restore" if trashed:
                    tree.restore(trashed.pop(chance.randrange(len(trashed))))
        except (errors.MoveCycle, errors.NameTaken, errors.ParentGone, NotFound):
            pass
        if chance.random() < 0.2:
            project()
            chance.choice(devices).pull()
    project()
    for device in devices:
        device.follow()
        assert device.nodes == fresh_tree(tree.actor)
