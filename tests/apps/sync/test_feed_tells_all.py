"""Old state + changes == new state, for every mutating door of files (FEED-1) and for whatever sequence of them."""

import inspect
import random
from datetime import timedelta

import pytest
from django.db import connection

from apps.files import api as files
from apps.files.dtos.uploads import VerifiedUpload
from apps.sync.errors import CursorExpired
from bitvault.events import consuming
from bitvault.events.api import set_position
from bitvault.kernel import clock, db, ids
from tests.apps.files.conftest import Tree, fetch, hash_of, live_a_little
from tests.apps.sync.following import Device, assert_replica_is_the_tree, fresh_tree, project, replica
from tests.support.doors import make_door
from tests.support.shares import grant, live, make_team, share_only

READING = {
    "get_node",
    "find_by_path",
    "list_path",
    "list_nodes",
    "list_children",
    "find_cursor",
    "find_index",
    "count_stored_bytes",
    "list_trash",
    "authorise_upload",
    "authorise_uploads",
    "find_committed",
    "find_all_committed",
    "find_held_blobs",
    "find_readable_blobs",
    "find_trash_cursor",
    "find_trash_index",
    "find_keeper",
    "find_trashed",
    "find_visible",
    "find_name",
    "get_ancestry",
    "list_ancestries",
    "get_version",
    "list_versions",
    "open_folder",
    "open_team_folders",
    "open_trash",
    "is_committed",
    "get_content",
    "open_content",
    "find_readable_blob",
    "list_reachable_roots",
    "list_tree_rows",
    "get_team_folder",
    "list_team_folders",
    "list_version_rows",
    "rekey_names",
}
"""Doors that leave the tree as it is."""

ACTS = {
    "create_folder": [lambda tree, _: tree.folder("new")],
    "ensure_folder": [lambda tree, world: _ensure_folder(tree, world["folder"])],
    "update_node": [
        lambda tree, world: tree.update(world["folder"], name="renamed"),
        lambda tree, world: tree.update(world["folder"], parent_id=world["other"].id),
        lambda tree, world: tree.update(world["file"], parent_id=world["other"].id, name="both"),
        lambda tree, world: tree.update(world["folder"], parent_id=world["team"].id),
        lambda tree, world: tree.update(world["file"], name="another.md", client_modified_at=clock.now()),
        lambda tree, world: tree.update(world["file"], client_modified_at=clock.now()),
        lambda tree, world: tree.update(world["team file"], parent_id=world["other"].id),
    ],
    "trash_node": [
        lambda tree, world: tree.trash(world["folder"]),
        lambda tree, world: tree.trash(world["file"]),
        lambda tree, world: tree.trash(world["locked"]),
    ],
    "apply_to_children": [
        lambda tree, world: _apply_to_children(tree, world["folder"], action="trash"),
        lambda tree, world: _apply_to_children(tree, world["folder"], action="trash", except_ids=[world["file"].id]),
        lambda tree, world: _apply_to_children(tree, world["folder"], action="move", parent_id=world["other"].id),
        lambda tree, world: _apply_to_children(tree, world["folder"], action="move", parent_id=world["team"].id),
        lambda tree, world: _apply_to_children(tree, world["team"], action="move", parent_id=world["other"].id),
    ],
    "lock_node": [
        lambda tree, world: files.lock_node(actor=tree.actor, node_id=world["file"].id, reason="at work"),
        lambda tree, world: files.lock_node(actor=tree.actor, node_id=world["locked"].id, reason="still at work"),
    ],
    "unlock_node": [lambda tree, world: files.unlock_node(actor=tree.actor, node_id=world["locked"].id)],
    "sweep_locks": [lambda *_: _let_locks_end()],
    "restore_node": [
        lambda tree, world: tree.restore(world["trashed"]),
        lambda tree, world: tree.restore(world["trashed"], parent_id=world["other"].id, name="back"),
    ],
    "restore_nodes": [
        lambda tree, world: files.restore_nodes(actor=tree.actor, node_ids=[world["trashed"].id]),
    ],
    "create_team_folder": [
        lambda _, world: world["adam"].make("All of us", grant("everyone", "viewer")),
        lambda _, world: world["adam"].make("Some of us", world["mia edits"]),
    ],
    "rename_team_folder": [
        lambda _, world: files.rename_team_folder(
            actor=world["adam"].actor, folder_id=world["team"].id, name="Renamed", expected_revision="any"
        ),
    ],
    "end_team_folder": [lambda _, world: files.end_team_folder(actor=world["adam"].actor, folder_id=world["team"].id)],
    "restore_team_folder": [
        lambda _, world: files.restore_team_folder(actor=world["adam"].actor, folder_id=world["ended"].id)
    ],
    "purge_node": [lambda tree, world: files.purge_node(actor=tree.actor, node_id=world["trashed"].id)],
    "empty_trash": [lambda tree, _: files.empty_trash(actor=tree.actor)],
    "purge_expired": [lambda *_: _let_trash_expire()],
    "request_due_purge": [lambda *_: files.request_due_purge()],
    "commit_upload": [
        lambda tree, _: tree.file("fresh.txt"),
        lambda tree, world: tree.write(world["file"], b"another content"),
        lambda tree, world: tree.file(world["file"].name, world["folder"], b"overwritten", mode="overwrite"),
        lambda tree, world: _write_twice_from_one_base(tree, world["file"]),
        lambda tree, world: _edit_what_is_deleted(tree, world["file"], world["file"]),
        lambda tree, world: _edit_what_is_deleted(tree, world["file"], world["folder"]),
    ],
    "commit_uploads": [lambda tree, _: _commit_two_at_once(tree)],
    "update_version": [lambda tree, world: files.update_version(**_older(tree, world["file"]), label="first")],
    "restore_version": [
        lambda tree, world: files.restore_version(
            **_older(tree, world["file"]), restore_id=ids.new_id(), made_on="laptop"
        )
    ],
    "delete_version": [lambda tree, world: files.delete_version(**_older(tree, world["file"]))],
    "give_up_upload": [lambda tree, _: files.give_up_upload(actor=tree.actor, upload_id=ids.new_id())],
    "ensure_personal_root": [lambda _, world: Tree(world["vera"])],
}
"""What to do with each mutating door, in as many ways as the feed must tell apart."""

SILENT = {
    "purge_node",
    "empty_trash",
    "purge_expired",
    "request_due_purge",
    "give_up_upload",
    "delete_version",
    "update_version",
}
"""What these delete went from the devices when it was trashed, or never reached them, as older versions never do."""


def _ensure_folder(tree, parent):
    assert files.ensure_folder(actor=tree.actor, node_id=ids.new_id(), parent_id=parent.id, name="ensured")


def _older(tree, file):
    """Name a version that is not current any more."""
    tree.write(tree.get(file), b"newer content")
    older = files.list_versions(actor=tree.actor, node_id=file.id).items[-1]
    return {"actor": tree.actor, "node_id": file.id, "version_id": older.id}


def _commit_two_at_once(tree):
    uploads = [
        VerifiedUpload(
            upload_id=ids.new_id(),
            grant=tree.grant(name),
            blob_id=ids.new_id(),
            size_bytes=3,
            content_hash=hash_of(name.encode()),
            media_type="text/plain",
            client_modified_at=None,
        )
        for name in ("one.txt", "two.txt")
    ]
    assert all(one.created for one in files.commit_uploads(actor=tree.actor, uploads=uploads))


def _let_trash_expire():
    later = clock.now() + timedelta(days=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        files.purge_expired()


def _let_locks_end():
    with clock.fixed_at(clock.now() + timedelta(days=1)):
        assert files.sweep_locks() == 1


def _apply_to_children(tree, folder, **wishes):
    page = files.apply_to_children(actor=tree.actor, node_id=folder.id, **wishes)
    assert page.items
    assert all(item.done for item in page.items)
    assert page.next_cursor is None


def _write_twice_from_one_base(tree, file):
    tree.write(file, b"first")
    return tree.write(file, b"second")


class Administrator:
    """Somebody who makes and changes team folders."""

    def __init__(self, actor):
        self.actor = actor

    def make(self, name, *grants):
        return make_team(self.actor, name, *grants)

    def change(self, folder, *grants):
        share_only(self.actor, folder, *grants)


def _edit_what_is_deleted(tree, file, deleted):
    allowed = tree.grant(file.name, mode="update", node_id=file.id, base_version_id=file.version_id)
    tree.trash(deleted)
    project()
    return tree.commit(allowed, b"edit")


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def world(tree, make_actor):
    folder, other = tree.folders("a/b"), tree.folder("other")
    inner = tree.folder("inner", folder)
    file = tree.file("file.txt", folder)
    tree.file("deep.txt", inner)
    trashed = tree.folder("trashed", tree.folder("c"))
    tree.file("in trash.txt", tree.folder("below", trashed))
    tree.trash(trashed)
    adam, mia_edits = Administrator(make_actor("adam")), grant(tree.actor, "editor")
    team, ended = (adam.make(name, mia_edits) for name in ("Team", "Ended"))
    closed = adam.make("Closed")
    Tree(adam.actor).folder("in the closed one", closed)
    tree.file("in the ended one.txt", tree.folder("there", ended))
    files.end_team_folder(actor=adam.actor, folder_id=ended.id)
    team_file = tree.file("team.txt", tree.folder("inside", team))
    locked = files.lock_node(actor=tree.actor, node_id=tree.file("locked.txt", inner).id)
    project()
    return {
        "folder": folder,
        "other": other,
        "file": file,
        "locked": locked,
        "trashed": trashed,
        "vera": make_actor("vera"),
        "adam": adam,
        "mia edits": mia_edits,
        "team": team,
        "team file": team_file,
        "closed": closed,
        "ended": ended,
    }


def assert_every_mutating_door_has_a_test():
    doors = {name for name, value in vars(files).items() if inspect.isfunction(value) and hasattr(value, "__exposed__")}
    assert doors == READING | set(ACTS), "a door of files that no test of the feed knows"
    assert all(ACTS.values()), "a door that is known, and that no test goes through"


def test_every_mutating_door_of_files_is_told_about():
    assert_every_mutating_door_has_a_test()


def test_a_door_that_nobody_has_thought_of_fails_the_build(monkeypatch):
    assert_every_mutating_door_has_a_test()
    with monkeypatch.context() as patch, pytest.raises(AssertionError, match="no test of the feed knows"):
        patch.setattr(files, "copy_node", make_door("files", lambda: None), raising=False)
        assert_every_mutating_door_has_a_test()
    monkeypatch.setitem(ACTS, "create_folder", [])
    with pytest.raises(AssertionError, match="no test goes through"):
        assert_every_mutating_door_has_a_test()


@pytest.mark.parametrize(
    ("door", "act"), [(door, act) for door, acts in ACTS.items() for act in acts], ids=lambda value: str(value)[:24]
)
def test_what_a_door_changes_reaches_the_device(tree, world, door, act):
    actor = world["vera"] if door == "ensure_personal_root" else tree.actor
    device = Device(actor)
    device.follow()
    before = fresh_tree(actor)
    assert device.nodes == before
    act(tree, world)
    project()
    device.told.clear()
    device.follow()
    assert device.nodes == fresh_tree(actor)
    if door not in SILENT:
        assert device.told
        assert device.nodes != before, "a test that changes nothing shows nothing"
    assert_replica_is_the_tree()


@pytest.mark.parametrize("seed", range(6))
def test_devices_that_read_now_and_then_end_with_the_tree(tree, seed):
    chance = random.Random(seed)
    devices = [Device(tree.actor, limit=limit) for limit in (1, 7, 200)]
    for _ in range(30):
        live_a_little(tree, chance, 6, locks=True)
        if chance.random() < 0.8:
            project()
        for device in devices:
            if chance.random() < 0.5:
                device.pull()
    project()
    newcomer = Device(tree.actor)
    newcomer.take_snapshot()
    for device in (*devices, newcomer):
        device.follow()
        assert device.nodes == fresh_tree(tree.actor)
    assert_replica_is_the_tree()


@pytest.mark.parametrize("seed", range(4))
def test_devices_of_several_people_end_with_what_each_of_them_reaches(tree, make_actor, seed):
    """Team folders come and go, are opened and closed, and things move between them and people's own roots."""
    chance = random.Random(seed)
    adam, vera = Administrator(make_actor("adam")), live(make_actor("vera"))
    folders = [adam.make("One", grant("everyone", "editor")), adam.make("Two")]
    trees = [tree, Tree(adam.actor), Tree(vera)]
    devices = [Device(one.actor, limit=limit) for one, limit in zip(trees, (1, 7, 200), strict=True)]
    for _ in range(30):
        live_a_little(chance.choice(trees[:2]), chance, 5)
        _administer(adam, chance, folders, [tree.actor, vera])
        if chance.random() < 0.8:
            project()
        for device in devices:
            if chance.random() < 0.5:
                _read_or_begin_anew(device)
    project()
    for device in devices:
        _read_to_the_end(device)
        assert device.nodes == fresh_tree(device.actor)
        newcomer = Device(device.actor)
        newcomer.take_snapshot()
        newcomer.follow()
        assert newcomer.nodes == fresh_tree(device.actor)
    assert_replica_is_the_tree()


def _administer(adam, chance, folders, people):
    folder = chance.choice(folders)
    live = {one.id for one in files.list_team_folders(actor=adam.actor).items}
    match chance.randrange(5):
        case 0 if folder.id in live:
            files.end_team_folder(actor=adam.actor, folder_id=folder.id)
        case 1 if folder.id not in live:
            files.restore_team_folder(actor=adam.actor, folder_id=folder.id)
        case 2 if folder.id in live:
            grants = [grant(one, chance.choice(["viewer", "editor"])) for one in people]
            everyone = chance.choice([[], [], [grant("everyone", "viewer")], [grant("everyone", "editor")]])
            adam.change(folder, *everyone, *chance.sample(grants, chance.randrange(3)))


def _read_or_begin_anew(device):
    """Read a page; a snapshot of what may not be read any more is given up, as devices do after a 410."""
    try:
        device.pull()
    except CursorExpired:
        device.take_snapshot()


def _read_to_the_end(device):
    try:
        device.follow()
    except CursorExpired:
        device.take_snapshot()
        device.follow()


@pytest.mark.parametrize("seed", range(3))
def test_double_delivery_of_everything_changes_nothing(tree, seed):
    live_a_little(tree, random.Random(seed), 120)
    project()
    before = replica()
    _deliver_again()
    assert replica() == before


def test_double_delivery_in_pieces_changes_nothing(tree, monkeypatch):
    live_a_little(tree, random.Random(9), 80)
    project()
    before = replica()
    monkeypatch.setattr(consuming, "BATCH_LIMIT", 1)
    _deliver_again()
    assert replica() == before


def _deliver_again():
    with db.write_transaction():
        set_position(consumer="sync", seq=0)
    assert project() > 0


def test_batches_of_any_size_give_the_same(tree, monkeypatch):
    live_a_little(tree, random.Random(4), 120)
    project()
    at_once = fetch("SELECT seq, ordinal, node_id FROM sync_change_journal ORDER BY 1, 2")
    _forget_everything()
    monkeypatch.setattr(consuming, "BATCH_LIMIT", 1)
    _deliver_again()
    assert fetch("SELECT seq, ordinal, node_id FROM sync_change_journal ORDER BY 1, 2") == at_once
    assert_replica_is_the_tree()


def _forget_everything():
    with db.write_transaction(), connection.cursor() as cursor:
        for table in ("sync_node", "sync_change_journal", "sync_conflict"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE sync_feed SET seq = 0, horizon = 0")
