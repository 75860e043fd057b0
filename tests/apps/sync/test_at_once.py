"""The feed while others write: a snapshot and its tail are the tree (J6), large folders cost one row (SYNC-6), catching up is quick."""

import random
import threading
import time

import pytest

from apps.files import api as files
from apps.sync import api as sync
from apps.sync.rebuilding import rebuild
from bitvault.events.api import publish, set_position
from bitvault.events.catalog.files import FolderCreated
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import BitVaultError
from tests.apps.files.conftest import Tree, fetch
from tests.apps.sync.following import Device, assert_replica_is_the_tree, fresh_tree, in_thread, project

pytestmark = pytest.mark.committed


@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_and_its_tail_are_the_tree_while_two_write(tree, tenant, seed):
    ended = threading.Event()

    def write(number):
        chance = random.Random(seed * 10 + number)
        while not ended.is_set():
            nodes = files.list_children(actor=tree.actor, node_id="root", limit=1000).items
            node, other = (chance.choice(nodes), chance.choice(nodes)) if nodes else (None, None)
            try:
                match chance.randrange(6):
                    case 0 | 1:
                        tree.folder(f"{number}-{chance.randrange(20)}")
                    case 2:
                        tree.file(f"{number}-{chance.randrange(20)}.txt", node, mode="overwrite")
                    case 3:
                        files.update_node(
                            actor=tree.actor, node_id=node.id, parent_id=other.id, expected_revision="any"
                        )
                    case 4:
                        files.trash_node(actor=tree.actor, node_id=node.id)
                    case 5:
                        trashed = files.list_trash(actor=tree.actor).items
                        files.restore_node(actor=tree.actor, node_id=trashed[0].id, on_conflict="rename")
            except (BitVaultError, AttributeError, IndexError):
                continue

    def follow_the_stream():
        while not ended.is_set():
            project()

    project()
    workers = [in_thread(tenant, act) for act in (lambda: write(1), lambda: write(2), follow_the_stream)]
    devices = []
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        device = Device(tree.actor, limit=random.Random(seed).choice([3, 50]))
        device.take_snapshot()
        device.pull()
        devices.append(device)
        if len(devices) > 20:
            devices.pop(0).end()
    ended.set()
    for thread, failures in workers:
        thread.join(30)
        assert failures == []
    project()
    truth = fresh_tree(tree.actor)
    assert len(truth) > 5
    for device in devices:
        device.follow()
        assert device.nodes == truth
    assert_replica_is_the_tree()


def fill(tree, folder, count):
    """Put folders into a folder by events alone: the feed knows no other source."""
    now = clock.now()
    made = []
    while len(made) < count:
        with db.write_transaction():
            for _ in range(min(500, count - len(made))):
                node_id = ids.new_id()
                publish(
                    FolderCreated(
                        actor_id=tree.actor.user_id,
                        node_id=node_id,
                        parent_id=folder.id,
                        name=node_id.hex,
                        revision=1,
                        created_at=now,
                    )
                )
                made.append(node_id)
    return made


def test_renaming_a_folder_of_ten_thousand_is_one_row(tree):
    folder = tree.folder("many")
    fill(tree, folder, 10_000)
    # In the processor's time: a busy machine takes longer and does no more.
    started = time.process_time()
    assert project() > 10_000
    rate = 10_000 / (time.process_time() - started)
    device = Device(tree.actor, limit=1000)
    device.follow()
    assert len(device.nodes) == 10_002
    (before,) = fetch("SELECT seq FROM sync_feed")[0]
    tree.update(folder, name="many more")
    started = time.process_time()
    project()
    page = device.pull()
    seconds = time.process_time() - started
    assert fetch("SELECT count(*) FROM sync_change_journal WHERE seq > %s", [before]) == [(1,)]
    assert [(change.op, change.node_id) for change in page.items] == [("upsert", folder.id)]
    assert seconds < 1
    assert rate > 1000, f"{rate:.0f} events/s"
    tree.trash(tree.get(folder))
    project()
    assert fetch("SELECT count(*) FROM sync_change_journal WHERE seq > %s", [before]) == [(2,)]
    device.follow()
    assert len(device.nodes) == 1


def test_a_tenants_feed_is_its_own(make_actor, acme, beta):
    with tenancy.entered(acme):
        tree = Tree(make_actor("mia"))
        tree.file("acme.txt")
        project()
        device = Device(tree.actor)
        device.follow()
    with tenancy.entered(beta):
        project()
        boris = Device(make_actor("boris"))
        boris.follow()
        assert boris.nodes == {}
        with pytest.raises(BitVaultError) as refused:
            sync.list_changes(actor=boris.actor, cursor=device.cursor)
        assert refused.value.code == "request.bad_cursor"
        with pytest.raises(BitVaultError) as refused:
            sync.list_snapshot(actor=boris.actor, device_id=device.id)
        assert refused.value.code == "sync.device_ended"


def test_a_rebuild_while_others_write_ends_with_the_tree(tree, tenant):
    ended = threading.Event()

    def write():
        number = 0
        while not ended.is_set():
            number += 1
            folder = tree.folder(f"w{number}")
            tree.file("x", folder)
            if number % 3 == 0:
                tree.trash(folder)

    def follow_the_stream():
        while not ended.is_set():
            project()

    workers = [in_thread(tenant, write), in_thread(tenant, follow_the_stream)]
    for _ in range(5):
        time.sleep(0.2)
        rebuild()
    ended.set()
    for thread, failures in workers:
        thread.join(30)
        assert failures == []
    project()
    assert_replica_is_the_tree()
    device = Device(tree.actor)
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_a_consumer_that_begins_again_ends_the_same(tree):
    folder = tree.folder("a")
    tree.trash(folder)
    project()
    with db.write_transaction():
        set_position(consumer="sync", seq=0)
    project()
    assert_replica_is_the_tree()
