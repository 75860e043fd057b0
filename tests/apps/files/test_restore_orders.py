"""Out of the trash in any order: whatever was put there, and whichever part of it comes back, ends in the same tree."""

import random

import pytest

from apps.files import api as files
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import assert_events_tell_all, assert_tree_is_sound, fetch


def grow(tree, name, seed):
    """A tree with things in its trash that were in one another, the same for each name; returns its top and what was trashed."""
    chance = random.Random(seed)
    top = tree.folder(name)
    nodes = [top]
    for number in range(14):
        parent = chance.choice([node for node in nodes if node.kind == "folder"][-6:])
        make = tree.folder if chance.random() < 0.7 else tree.file
        nodes.append(make(f"n{number}", parent))
    trashed = []
    for node in chance.sample(nodes[1:], 10):
        try:
            tree.trash(tree.get(node))
        except NotFound:
            continue  # it went with its folder
        trashed.append(node)
    if chance.random() < 0.3:
        gone = trashed.pop(chance.randrange(len(trashed)))
        files.purge_node(actor=tree.actor, node_id=gone.id)
    return top, trashed


def paths(top):
    return sorted(
        path
        for (path,) in fetch(
            "WITH RECURSIVE tree AS (SELECT id, '' AS path FROM files_node WHERE id = %s"
            " UNION ALL SELECT node.id, tree.path || '/' || node.name FROM tree JOIN files_node node ON node.parent_id = tree.id)"
            " SELECT path FROM tree",
            [top.id],
        )
    )


def one_by_one(tree, nodes):
    for node in nodes:
        tree.restore(node)


def at_once(tree, nodes):
    files.restore_nodes(actor=tree.actor, node_ids=[node.id for node in nodes])


def in_two_sets(tree, nodes):
    at_once(tree, nodes[::2])
    at_once(tree, nodes[1::2])


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_any_part_ends_in_the_same_tree(tree, seed):
    chance = random.Random(seed)
    ends = []
    for number, restore in enumerate((at_once, one_by_one, one_by_one, one_by_one, in_two_sets)):
        top, trashed = grow(tree, f"copy {number}", seed)
        part = random.Random(seed + 1).sample(trashed, max(1, len(trashed) * 2 // 3))
        restore(tree, chance.sample(part, len(part)))
        ends.append(paths(top))
    assert ends == [ends[0]] * len(ends)
    assert_tree_is_sound()
    assert_events_tell_all()


def test_what_came_back_before_its_folder_goes_there_when_that_comes_back(tree):
    outer = tree.folder("outer")
    folder = tree.folder("folder", outer)
    file = tree.file("a.txt", folder)
    tree.trash(file)
    tree.trash(folder)
    tree.file("a.txt", outer)
    assert tree.restore(file, on_conflict="rename").path == "/outer/a (2).txt"
    tree.restore(folder)
    assert tree.names(folder) == ["a.txt"]
    assert fetch("SELECT count(*) FROM files_displaced") == [(0,)]


@pytest.mark.parametrize("act", ["renamed", "moved", "trashed and restored"])
def test_what_somebody_has_moved_since_stays(tree, act):
    outer, other = tree.folder("outer"), tree.folder("other")
    folder = tree.folder("folder", outer)
    file = tree.file("a.txt", folder)
    tree.trash(file)
    tree.trash(folder)
    back = tree.restore(file)
    if act == "renamed":
        tree.update(back, name="b.txt")
    elif act == "moved":
        tree.update(back, parent_id=other.id)
    else:
        tree.trash(back)
        tree.restore(back)
    where = tree.get(file).parent_id
    tree.restore(folder)
    assert tree.get(file).parent_id == where
    assert tree.names(folder) == []


def test_many_that_wait_go_home_in_steps(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.RESTORE_BATCH", 2)
    folder = tree.folder("folder")
    made = [tree.file(f"{number}.txt", folder) for number in range(5)]
    for node in (*made, folder):
        tree.trash(node)
    one_by_one(tree, made)
    tree.restore(folder)
    assert len(tree.names(folder)) == 5
    assert_events_tell_all()
