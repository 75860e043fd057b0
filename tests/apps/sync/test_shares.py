"""Shared nodes on people's devices: what is shared comes as a subtree, what is not any more is removed, and nothing above is told."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from apps.files import api as files
from apps.sharing import api as sharing
from apps.sharing.models import Permission
from apps.sync import api as sync
from apps.sync import scope_sets
from apps.sync.errors import CursorExpired
from apps.sync.models import SharedNode
from bitvault.events import consuming
from bitvault.events.api import publish, set_position
from bitvault.events.catalog.sharing import ShareGranted
from bitvault.events.operating import rebuild
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Role
from bitvault.kernel.capabilities import ROLES, names_of
from tests.apps.files.conftest import Tree, fetch
from tests.apps.sync.following import Device, assert_replica_is_the_tree, fresh_tree, head, journal, project
from tests.support.shares import filled, grant, live, make_team, share, share_only


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def olga(make_actor):
    """Somebody whose own files mia does not reach, and who reaches nothing of mia's."""
    return live(replace(make_actor("olga"), role=Role.MEMBER))


@pytest.fixture
def reports(tree):
    """A folder of mia's, below another one, with a folder and a file in it."""
    folder = tree.folders("Private/Reports")
    tree.file("q3.txt", tree.folder("2026", folder), b"figures")
    return folder


@pytest.fixture
def hers(olga, reports):
    """A device of olga's that has read all there is."""
    project()
    device = Device(olga)
    device.follow()
    device.told.clear()
    return device


def told(device):
    """Follow the feed; returns what was told, each thing once, by name where there is one."""
    project()
    device.told.clear()
    device.follow()
    assert device.nodes == fresh_tree(device.actor)
    entries = [(entry.op, entry.node.name if entry.node else entry.node_id) for entry in device.told]
    return list(dict.fromkeys(entries))


def ids_of(*nodes):
    return {node.id for node in nodes}


# --- coming and going --------------------------------------------------------------------------------------------------------


def test_what_was_left_is_removed_and_comes_back_as_a_subtree(tree, olga, hers, reports):
    made = share(tree.actor, reports, "everyone", "viewer")
    told(hers)
    sharing.leave_share(actor=olga, share_id=made.id)
    assert told(hers) == [("removed", reports.id)]
    sharing.take_share_back(actor=olga, share_id=made.id)
    assert told(hers) == [("upsert", "Reports"), ("upsert", "2026"), ("upsert", "q3.txt")]


def test_a_shared_folder_comes_as_a_subtree_of_which_nothing_above_is_told(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "viewer")
    assert told(hers) == [("upsert", "Reports"), ("upsert", "2026"), ("upsert", "q3.txt")]
    assert hers.nodes[reports.id]["parent_id"] is None
    assert not {reports.parent_id, tree.root.id} & set(hers.nodes)
    assert {change.node.capabilities for change in hers.told} == {names_of(ROLES["viewer"])}


def test_a_shared_file_comes_alone(tree, olga, hers, reports):
    file = tree.file("one.txt", reports)
    share(tree.actor, file, olga, "editor")
    assert told(hers) == [("upsert", "one.txt")]
    assert hers.nodes[file.id]["parent_id"] is None
    tree.update(file, name="renamed.txt")
    assert told(hers) == [("upsert", "renamed.txt")]


@pytest.mark.parametrize("way", ["by name", "as everyone"])
def test_a_snapshot_holds_it_too(tree, olga, reports, way):
    share(tree.actor, reports, olga if way == "by name" else "everyone", "viewer")
    project()
    device = Device(olga)
    device.take_snapshot()
    assert set(device.nodes) == set(fresh_tree(olga))
    device.told.clear()
    device.follow()
    assert device.told == []


def test_who_has_only_to_add_is_told_nothing(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "uploader")
    assert told(hers) == []


@pytest.mark.parametrize("way", ["revoked", "left", "ended by the clock", "trashed", "trashed with what it lies in"])
def test_what_is_lost_is_one_removal(tree, olga, hers, reports, way):
    ends = clock.now() + timedelta(hours=1)
    given = share(tree.actor, reports, olga, "viewer", expires_at=ends if "clock" in way else None)
    told(hers)
    match way:
        case "revoked" | "left":
            sharing.revoke_share(actor=filled(tree.actor if way == "revoked" else olga), share_id=given.id)
        case "trashed":
            tree.trash(reports)
        case "trashed with what it lies in":
            tree.trash(tree.get(reports.parent_id))
    with clock.fixed_at(ends + timedelta(seconds=1) if "clock" in way else clock.now()):
        assert told(hers) == [("removed", reports.id)]
        assert told(hers) == []


def test_what_comes_back_from_the_trash_comes_back(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    private = tree.get(reports.parent_id)
    tree.trash(private)
    assert told(hers) == [("removed", reports.id)]
    tree.restore(private)
    assert [what for _, what in told(hers)] == ["Reports", "2026", "q3.txt"]


def share_with_group(tree, node, group_id):
    with db.write_transaction():
        row = Permission.objects.create(
            node_id=node.id,
            principal_kind="group",
            principal_id=group_id,
            capabilities=ROLES["viewer"],
            role="viewer",
            granted_by=tree.actor.user_id,
            granted_at=clock.now(),
        )
        publish(
            ShareGranted(
                actor_id=tree.actor.user_id,
                share_id=row.id,
                node_id=node.id,
                principal_kind="group",
                principal_id=group_id,
                role="viewer",
                capabilities=names_of(row.capabilities),
                expires_at=None,
            )
        )


def test_what_an_edit_brings_back_out_of_a_share_in_the_trash_is_gone_from_the_share(tree, olga, hers, reports):
    """The device reads on only when the share is there again: it never learns that it was away."""
    file = tree.file("edited.txt", reports)
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    private = tree.get(reports.parent_id)
    edit = tree.grant(file.name, mode="update", node_id=file.id, base_version_id=file.version_id)
    tree.trash(private)
    back = tree.commit(edit, b"edit").node
    assert back.id == file.id
    tree.restore(private)
    assert ("removed", file.id) in told(hers)


def test_group_members_have_what_the_group_has(tree, olga, hers, reports):
    group_id = ids.new_id()
    share_with_group(tree, reports, group_id)
    assert told(hers) == []
    hers.actor = live(replace(olga, groups=(group_id,)))
    assert [what for _, what in told(hers)] == ["Reports", "2026", "q3.txt"]
    hers.actor = olga
    assert told(hers) == [("removed", reports.id)]


# --- what happens inside -----------------------------------------------------------------------------------------------------


def test_what_comes_into_a_share_comes_with_all_below_and_what_leaves_it_is_removed(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    folder = tree.folders("elsewhere/deep")
    tree.file("below.txt", tree.folder("inner", folder))
    assert told(hers) == []
    moved = tree.update(folder, parent_id=reports.id)
    assert told(hers) == [("upsert", "deep"), ("upsert", "inner"), ("upsert", "below.txt")]
    tree.update(moved, parent_id=tree.root.id)
    assert told(hers) == [("removed", folder.id)]


def test_a_move_within_a_share_is_one_row(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "viewer")
    inner = tree.folder("inner", reports)
    tree.file("below.txt", tree.folder("further", inner))
    told(hers)
    before = head()
    tree.update(inner, parent_id=files.list_children(actor=tree.actor, node_id=reports.id).items[0].id)
    assert told(hers) == [("upsert", "inner")]
    assert {node_id for *_, node_id in journal(before)} == {inner.id}


def test_a_shared_node_stays_one_node_wherever_its_owner_puts_it(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    renamed = tree.update(reports, parent_id=tree.root.id, name="Figures")
    assert told(hers) == [("upsert", "Figures")]
    assert hers.nodes[reports.id]["parent_id"] is None
    tree.update(tree.folder("above"), name="nothing of hers")
    assert told(hers) == []
    assert renamed.id == reports.id


def test_nothing_that_was_never_visible_is_told(tree, olga, hers, reports):
    secret = tree.file("secret.txt", reports)
    gone = tree.file("gone.txt", reports)
    outside = tree.file("outside.txt", tree.get(reports.parent_id))
    tree.update(secret, parent_id=tree.root.id)
    tree.trash(gone)
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    tree.write(outside, b"edited")
    tree.trash(outside)
    told(hers)
    assert not ids_of(secret, gone, outside) & {change.node_id for change in hers.told}
    assert not ids_of(secret, gone, outside) & set(hers.nodes)


def test_what_was_in_a_share_before_the_device_knew_of_the_share_is_not_told_to_be_gone(tree, olga, hers, reports):
    """A device that was away meanwhile reads the journal from before the share."""
    gone = tree.file("gone.txt", reports)
    project()
    tree.trash(gone)
    share(tree.actor, reports, olga, "viewer")
    project()
    hers.told.clear()
    hers.follow()
    assert gone.id not in {change.node_id for change in hers.told}


# --- shares within shares ----------------------------------------------------------------------------------------------------


def test_a_node_that_is_shared_twice_is_told_once(tree, olga, reports):
    inner = tree.folder("inner", reports)
    share(tree.actor, reports, olga, "viewer")
    share(tree.actor, inner, olga, "editor")
    project()
    device = Device(olga)
    page = device.pull()
    assert len({change.node_id for change in page.items}) == len(page.items)
    assert device.nodes == fresh_tree(olga)
    assert device.nodes[inner.id]["parent_id"] == reports.id
    masks = {change.node_id: change.node.capabilities for change in page.items}
    assert (masks[reports.id], masks[inner.id]) == (names_of(ROLES["viewer"]), names_of(ROLES["editor"]))


def test_another_role_further_down_is_told_on_that_node(tree, olga, hers, reports):
    inner = tree.folder("inner", reports)
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    given = share(tree.actor, inner, olga, "editor")
    assert told(hers) == [("upsert", "inner")]
    assert hers.told[0].node.capabilities == names_of(ROLES["editor"])
    sharing.revoke_share(actor=filled(tree.actor), share_id=given.id)
    assert told(hers) == [("upsert", "inner")]
    assert hers.told[0].node.capabilities == names_of(ROLES["viewer"])
    assert told(hers) == []


def test_when_the_outer_share_ends_the_inner_one_stays(tree, olga, hers, reports):
    inner = tree.folder("inner", reports)
    tree.file("kept.txt", inner)
    outer = share(tree.actor, reports, olga, "viewer")
    share(tree.actor, inner, olga, "viewer")
    told(hers)
    sharing.revoke_share(actor=filled(tree.actor), share_id=outer.id)
    told(hers)
    assert set(hers.nodes) == set(fresh_tree(olga))
    assert hers.nodes[inner.id]["parent_id"] is None


def test_a_share_that_its_owner_puts_into_another_one_lies_there(tree, olga, hers, reports):
    other = tree.folder("Other")
    tree.file("in other.txt", tree.folder("sub", other))
    share(tree.actor, reports, olga, "viewer")
    share(tree.actor, other, olga, "viewer")
    told(hers)
    tree.update(tree.get(other.id), parent_id=reports.id)
    told(hers)
    assert hers.nodes[other.id]["parent_id"] == reports.id
    tree.update(tree.get(other.id), parent_id=tree.root.id)
    told(hers)
    assert hers.nodes[other.id]["parent_id"] is None


def test_a_share_in_a_team_folder_goes_on_when_the_person_leaves_the_team(make_actor, tree, olga, hers):
    adam = make_actor("adam")
    team = make_team(adam, "Team", grant(olga, "editor"))
    plans = Tree(adam).folder("Plans", team)
    Tree(adam).file("plan.txt", plans)
    share(adam, plans, olga, "viewer")
    told(hers)
    assert hers.nodes[plans.id]["parent_id"] == team.id
    share_only(adam, team)
    told(hers)
    assert hers.nodes[plans.id]["parent_id"] is None


# --- many ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(tree, olga):
    """Forty files that are shared one by one."""
    shared = [tree.file(f"{number}.txt", tree.folder(f"{number}")) for number in range(40)]
    for one in shared:
        share(tree.actor, one, olga, "viewer")
    project()
    return shared


def test_many_scopes_stand_in_a_set_that_the_cursor_names(olga, many):
    assert len(many) > scope_sets.INLINE_LIMIT
    device = Device(olga, limit=7)
    device.follow()
    assert device.nodes == fresh_tree(olga)
    assert len(device.cursor) < 600
    assert fetch("SELECT count(*) FROM sync_scope_set") == [(1,)]
    (seq,) = {one for _, _, one in json.loads(fetch("SELECT content FROM sync_scope_set")[0][0]) if one is not None}
    assert seq <= head()


def test_an_older_cursor_finds_its_set_as_it_was(tree, olga, many):
    device = Device(olga)
    device.follow()
    older, nodes = device.cursor, dict(device.nodes)
    for share_of in sharing.list_shares(actor=filled(tree.actor), node_id=many[0].id).items:
        sharing.revoke_share(actor=filled(tree.actor), share_id=share_of.id)
    project()
    device.follow()
    assert many[0].id not in device.nodes
    device.cursor, device.nodes = older, nodes
    device.told.clear()
    device.follow()
    assert [(change.op, change.node_id) for change in device.told] == [("removed", many[0].id)]


def test_a_set_is_kept_while_cursors_name_it_and_without_it_a_snapshot_leads_on(tree, olga, many):
    device = Device(olga)
    device.follow()
    now = clock.now()
    for days in (90, 180):
        with clock.fixed_at(now + timedelta(days=days)):
            tree.write(tree.get(many[0].id), b"%d" % days)
            project()
            device.follow()
            assert scope_sets.sweep() == 0
    with clock.fixed_at(now + timedelta(days=180) + 2 * scope_sets.LIFETIME):
        tree.write(tree.get(many[0].id), b"late")
        project()
        assert scope_sets.sweep() == 1
        with pytest.raises(CursorExpired):
            device.pull()
        device.take_snapshot()
        assert set(device.nodes) == set(fresh_tree(olga))


def test_the_number_of_statements_does_not_depend_on_the_number_of_scopes(tree, make_actor, many, counted_queries):
    counts = {}
    for number in (20, 40):
        olga = replace(make_actor("olga"), role=Role.MEMBER)
        whole = filled(olga).reach
        few = replace(whole, lasting={one.id: whole.lasting[one.id] for one in many[:number]})
        device = Device(replace(olga, reach=few), limit=1000)
        device.follow()
        tree.write(tree.get(many[0].id), b"%d" % number)
        project()
        with counted_queries() as counted:
            page = device.pull()
        assert [change.node_id for change in page.items] == [many[0].id]
        assert not page.has_more
        counts[number] = len(counted)
        with counted_queries() as counted:
            device.pull()
        counts[-number] = len(counted)
    assert counts[20] == counts[40] <= 7
    assert counts[-20] == counts[-40] <= 2


def test_more_than_a_page_of_lost_scopes_comes_in_pages(tree, olga, many):
    device = Device(olga, limit=15)
    device.follow()
    files.apply_to_children(actor=tree.actor, node_id=tree.root.id, action="trash")
    project()
    page = device.pull()
    assert (len(page.items), page.has_more) == (15, True)
    device.follow()
    assert device.nodes == fresh_tree(olga)


# --- the machinery -----------------------------------------------------------------------------------------------------------


def test_who_is_given_something_before_the_feed_has_heard_of_it_is_told_with_it(tree, olga, hers, reports):
    """A move into it that the projector takes up before the share would else be told without what lies below."""
    folder = tree.folders("elsewhere/deep")
    tree.file("below.txt", folder)
    project()
    tree.update(folder, parent_id=reports.id)
    share(tree.actor, reports, olga, "viewer")
    hers.follow()
    assert hers.nodes == {}
    told(hers)


@pytest.mark.parametrize("batch", [1, 3, 200])
def test_batches_of_any_size_give_the_same(tree, olga, reports, monkeypatch, batch):
    inner = tree.folder("inner", reports)
    tree.file("x.txt", inner)
    share(tree.actor, reports, olga, "viewer")
    moved = tree.update(inner, parent_id=tree.root.id)
    share(tree.actor, inner, olga, "viewer")
    tree.update(moved, parent_id=reports.id)
    tree.trash(tree.get(reports.parent_id))
    project()
    rows = "SELECT seq, ordinal, node_id, root_id, old_root_id FROM sync_change_journal ORDER BY 1, 2"
    at_once = fetch(rows)
    with db.write_transaction(), connection.cursor() as cursor:
        for table in ("sync_node", "sync_change_journal", "sync_shared_node"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE sync_feed SET seq = 0, horizon = 0")
        set_position(consumer="sync", seq=0)
    monkeypatch.setattr(consuming, "BATCH_LIMIT", batch)
    project()
    assert fetch(rows) == at_once
    assert_replica_is_the_tree()


def test_a_rebuild_knows_what_is_shared(tree, olga, hers, reports):
    share(tree.actor, reports, olga, "viewer")
    told(hers)
    with db.write_transaction():
        SharedNode.objects.all().delete()
    rebuild(consumer="sync", by=None)
    project()
    device = Device(olga)
    device.take_snapshot()
    assert set(device.nodes) == set(fresh_tree(olga))


def test_a_conflict_in_a_share_is_seen_by_who_has_it_and_by_nobody_else(tree, olga, make_actor, reports):
    share(tree.actor, reports, olga, "editor")
    file = tree.file("plan.txt", reports)
    tree.write(file, b"one")
    copy = tree.write(file, b"two").node
    project()
    for who, seen in ((tree.actor, [copy.id]), (olga, [copy.id]), (live(make_actor("vera")), [])):
        assert [one.id for one in sync.list_conflicts(actor=who).items] == seen
    sync.resolve_conflict(actor=olga, conflict_id=copy.id, keep="original")
    project()
    assert sync.list_conflicts(actor=tree.actor).items == []
