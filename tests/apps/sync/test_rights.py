"""Rights are judged when the feed is read: a root that is lost is removed, one that is gained comes as its subtree."""

from dataclasses import replace

import pytest

from apps.identity import api as identity
from apps.sync import api as sync
from apps.sync import feed, positions
from apps.sync.errors import CursorExpired
from apps.sync.scopes import Grants
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeMoved
from bitvault.kernel import db
from bitvault.kernel.actor import Role
from bitvault.kernel.capabilities import EVERYTHING, READING, names_of
from tests.apps.files.conftest import Tree
from tests.apps.sync.following import Device, fresh_tree, project


def grants_of(root_ids):
    return Grants(dict.fromkeys(root_ids, READING), EVERYTHING)


def read_with(device, rights):
    """Follow the feed as if the actor reached these roots."""
    while True:
        page = feed.list_changes(device.actor, positions.decode(device.cursor), grants_of(rights), limit=device.limit)
        device.keep(page)
        if not page.has_more:
            device.assert_whole()
            return


def test_losing_a_root_removes_it_and_gaining_it_brings_its_subtree(tree, device, make_actor):
    adam = Tree(make_actor("adam"))
    adam.file("hers.txt", adam.folders("h/i"))
    project()
    mine, hers = fresh_tree(tree.actor), fresh_tree(adam.actor)
    read_with(device, [tree.root.id, adam.root.id])
    assert device.nodes == mine | hers
    adam.folder("unseen")
    project()
    device.told.clear()
    read_with(device, [tree.root.id])
    assert [(change.op, change.node_id) for change in device.told] == [("removed", adam.root.id)]
    assert device.nodes == mine
    device.limit = 1
    read_with(device, [tree.root.id, adam.root.id])
    assert device.nodes == mine | fresh_tree(adam.actor)


def test_losing_a_root_while_its_subtree_is_being_read_removes_what_was_told(tree, device, make_actor):
    adam = Tree(make_actor("adam"))
    adam.folders("h/i/j")
    project()
    device.limit = 2
    both = grants_of([tree.root.id, adam.root.id])
    device.keep(feed.list_changes(tree.actor, positions.decode(device.cursor), both, limit=2))
    assert adam.root.id in device.nodes
    read_with(device, [tree.root.id])
    assert device.nodes == fresh_tree(tree.actor)


def test_a_snapshot_of_a_root_that_is_lost_is_over(tree, device, make_actor):
    adam = Tree(make_actor("adam"))
    project()
    both = grants_of([tree.root.id, adam.root.id])
    page = feed.list_snapshot(tree.actor, device.id, None, both, limit=1)
    with pytest.raises(CursorExpired):
        sync.list_snapshot(actor=tree.actor, device_id=device.id, cursor=page.next_cursor)


def test_a_move_between_roots_shows_as_removed_here_and_as_the_subtree_there(tree, device, make_actor):
    adam = Tree(make_actor("adam"))
    folder = tree.folders("x/y")
    file = tree.file("deep.txt", folder)
    project()
    device.follow()
    hers = Device(adam.actor)
    hers.follow()
    with db.write_transaction():
        publish(
            NodeMoved(
                node_id=folder.id,
                kind="folder",
                parent_id=adam.root.id,
                old_parent_id=folder.parent_id,
                name="y",
                old_name="y",
                revision=folder.revision + 1,
            )
        )
    project()
    device.follow()
    hers.follow()
    assert not {folder.id, file.id} & set(device.nodes)
    assert {folder.id, file.id} <= set(hers.nodes)


def test_nobody_is_told_of_anothers_files(tree, device, make_actor):
    adam, olga = Tree(make_actor("adam")), Device(make_actor("olga"))
    secret = adam.file("secret.txt")
    project()
    device.follow()
    olga.follow()
    told = {change.node_id for change in (*device.told, *olga.told)}
    assert secret.id not in told
    assert adam.root.id not in told


def test_another_role_in_the_vault_shows_on_the_root(tree, device, acme):
    def capabilities():
        return [(change.node_id, change.node.capabilities) for change in device.told if change.node_id == tree.root.id]

    device.told.clear()
    for role, told in ((Role.VIEWER, names_of(READING)), (Role.MEMBER, names_of(EVERYTHING))):
        identity.change_role(tenant=acme, user_id=tree.actor.user_id, role=role, changed_by=None)
        project()
        actor = replace(tree.actor, role=role)
        device.actor = actor
        device.told.clear()
        device.follow()
        assert capabilities() == [(tree.root.id, told)]
        device.told.clear()
        device.follow()
        assert device.told == []


def test_a_right_that_changes_while_a_subtree_is_being_read_is_told_behind_it(tree, device):
    for number in range(5):
        tree.folder(f"n{number}")
    project()
    fresh = Device(tree.actor, limit=2)
    page = fresh.pull()
    assert page.has_more
    fresh.told.clear()
    read_with(fresh, [tree.root.id])
    capabilities = [change.node.capabilities for change in fresh.told if change.node_id == tree.root.id]
    assert capabilities == [names_of(READING)]
