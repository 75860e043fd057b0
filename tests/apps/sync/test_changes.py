"""Reading the feed: what a page says and costs, cursors that always advance and belong to one device."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from apps.files import api as files
from apps.files.errors import RevisionMismatch
from apps.sync import api as sync
from apps.sync import positions, snapshots
from apps.sync.dtos import SeenRevisions
from apps.sync.errors import ConflictResolved, CursorExpired, DeviceEnded
from bitvault.events import consuming
from bitvault.events.api import publish
from bitvault.events.catalog.files import VersionCommitted
from bitvault.events.models import DeadLetter
from bitvault.events.operating import rebuild, replay_dead_letter
from bitvault.kernel import clock, db, pages
from bitvault.kernel.errors import NotFound, PreconditionRequired
from bitvault.kernel.pages import BadCursor
from tests.apps.files.conftest import Tree, fetch
from tests.apps.sync.following import Device, assert_replica_is_the_tree, fresh_tree, head, journal, project

# --- what a page says ------------------------------------------------------------------------------------------------------


def test_a_first_cursor_brings_all_that_there_is(tree):
    tree.file("x.txt", tree.folders("a/b/c"))
    project()
    device = Device(tree.actor, limit=2)
    page = device.follow()
    assert device.nodes == fresh_tree(tree.actor)
    assert (page.head_seq, page.as_of_seq) == (head(), head())


def test_a_root_that_comes_later_is_told_like_any_other(make_actor, tree):
    device = Device(make_actor("adam"))
    device.follow()
    assert device.nodes == {}
    adam = Tree(make_actor("adam"))
    vera_root = adam.root.id
    device.pull()
    project()
    device.follow()
    assert set(device.nodes) == {vera_root}


def test_a_node_is_told_once_in_a_page_at_its_last_row(tree, device):
    folder = tree.folder("b")
    for name in ("c", "d", "e"):
        folder = tree.update(folder, name=name)
    project()
    page = device.pull()
    assert [(change.node_id, change.node.name) for change in page.items] == [(folder.id, "e")]
    assert page.items[0].seq == page.head_seq


def test_renaming_a_folder_is_one_row_and_so_is_trashing_it(tree, device):
    top = tree.folder("top")
    for number in range(20):
        tree.folder(f"{number}", top)
    project()
    device.follow()
    before = head()
    top = tree.update(top, name="renamed")
    tree.trash(top)
    project()
    assert [row[2] for row in journal(before)] == [top.id, top.id]
    device.told.clear()
    device.follow()
    assert [(change.op, change.node_id, change.node) for change in device.told] == [("removed", top.id, None)]


def test_what_comes_back_from_the_trash_is_told_whole_parents_first(tree, device):
    top = tree.folder("top")
    inner = tree.folder("inner", top)
    file = tree.file("x", inner)
    tree.trash(top)
    project()
    device.follow()
    before = head()
    tree.restore(top)
    project()
    rows = journal(before)
    assert [row[2] for row in rows] == [top.id, inner.id, file.id]
    assert len({row[0] for row in rows}) == 1
    device.limit = 1
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_a_version_committed_while_its_folder_went_into_the_trash_comes_with_it(tree, device):
    """A commit of content takes no tree lock: it may get its number after the folder's trashing."""
    folder = tree.folder("b")
    file = tree.file("x", folder)
    project()
    device.follow()
    tree.trash(folder)
    facts = {name: getattr(file, name) for name in ("name", "size_bytes", "content_hash", "media_type", "modified_at")}
    with db.write_transaction():
        publish(
            VersionCommitted(
                node_id=file.id,
                parent_id=folder.id,
                revision=2,
                node_created=False,
                version_id=uuid4(),
                previous_version_id=file.version_id,
                conflict_with_id=None,
                upload_id=uuid4(),
                blob_id=uuid4(),
                **facts,
            )
        )
    project()
    device.follow()
    assert file.id not in device.nodes
    tree.restore(folder)
    project()
    device.follow()
    assert device.nodes[file.id]["revision"] == 2


def test_an_idle_device_moves_on_while_others_change_things(tree, device, make_actor):
    adam = Tree(make_actor("adam"))
    adam.folder("elsewhere")
    project()
    before = positions.decode(device.cursor)
    page = device.pull()
    assert page.items == []
    assert positions.decode(page.cursor).seq == page.head_seq > before.seq


def test_a_lost_answer_is_asked_for_again(tree, device):
    for number in range(5):
        tree.folder(f"n{number}")
    project()
    cursor, device.limit = device.cursor, 3
    first = device.pull()
    again = sync.list_changes(actor=tree.actor, cursor=cursor, limit=3)
    assert again == first


# --- cursors that are not one's own ----------------------------------------------------------------------------------------


def test_a_forged_cursor_is_refused(tree, device):
    position = positions.decode(device.cursor)
    forged = {
        "nothing": "",
        "noise": "x" * 80,
        "another purpose": pages.encode_cursor("files.trash", [1, 2]),
        "cut off": device.cursor[:-1],
        "altered": device.cursor[:10] + ("A" if device.cursor[10] != "A" else "B") + device.cursor[11:],
        "a page of a snapshot": positions.encode_page(device.id, uuid4(), 0),
    }
    for what, cursor in forged.items():
        with pytest.raises(BadCursor):
            sync.list_changes(actor=tree.actor, cursor=cursor)
            pytest.fail(what)
    unknown = positions.encode(replace(position, device_id=uuid4()))
    with pytest.raises(DeviceEnded):
        sync.list_changes(actor=tree.actor, cursor=unknown)
    from_the_future = positions.encode(replace(position, seq=position.seq + 1_000_000))
    with pytest.raises(CursorExpired):
        sync.list_changes(actor=tree.actor, cursor=from_the_future)


def test_somebody_elses_device_is_of_no_use(device, make_actor):
    adam = make_actor("adam")
    for read in (
        lambda: sync.list_changes(actor=adam, cursor=device.cursor),
        lambda: sync.acknowledge(actor=adam, cursor=device.cursor),
    ):
        with pytest.raises(BadCursor):
            read()
    with pytest.raises(DeviceEnded):
        sync.list_snapshot(actor=adam, device_id=device.id)
    with pytest.raises(NotFound):
        sync.end_device(actor=adam, device_id=device.id)


def test_a_snapshots_page_belongs_to_its_device(tree, device):
    other = Device(tree.actor)
    page = sync.list_snapshot(actor=tree.actor, device_id=device.id, limit=1)
    assert page.next_cursor is not None
    with pytest.raises(BadCursor):
        sync.list_snapshot(actor=tree.actor, device_id=other.id, cursor=page.next_cursor)
    with pytest.raises(BadCursor):
        sync.list_snapshot(actor=tree.actor, device_id=device.id, cursor=device.cursor)


def test_an_ended_device_is_refused_at_once(tree, device):
    page = sync.list_snapshot(actor=tree.actor, device_id=device.id, limit=1)
    sync.end_device(actor=tree.actor, device_id=device.id)
    for read in (
        lambda: sync.list_changes(actor=tree.actor, cursor=device.cursor),
        lambda: sync.acknowledge(actor=tree.actor, cursor=device.cursor),
        lambda: sync.list_snapshot(actor=tree.actor, device_id=device.id),
        lambda: sync.list_snapshot(actor=tree.actor, device_id=device.id, cursor=page.next_cursor),
    ):
        with pytest.raises(DeviceEnded):
            read()
    with pytest.raises(NotFound):
        sync.end_device(actor=tree.actor, device_id=device.id)
    assert fetch("SELECT count(*) FROM sync_snapshot_item") == [(0,)]
    assert sync.list_devices(actor=tree.actor).items == []


def test_an_acknowledgement_never_goes_back(tree, device):
    old = device.cursor
    tree.folder("n")
    project()
    device.follow()
    new = sync.acknowledge(actor=tree.actor, cursor=device.cursor)
    assert sync.acknowledge(actor=tree.actor, cursor=old) == new
    assert sync.list_devices(actor=tree.actor).items[0].seq == new.seq == head()


# --- costs -----------------------------------------------------------------------------------------------------------------


def test_a_page_costs_the_same_whatever_it_holds(tree, device, counted_queries):
    counts = []
    for size in (10, 200):
        for number in range(size):
            tree.folder(f"{size}-{number}")
        project()
        with counted_queries() as statements:
            page = sync.list_changes(actor=tree.actor, cursor=device.cursor, limit=size)
        assert len(page.items) == size
        counts.append(len(statements))
        device.keep(page)
    assert counts[0] == counts[1] <= 6


def test_asking_in_vain_looks_at_the_rights_and_at_how_far_the_feed_is_and_no_further(tree, device, counted_queries):
    tree.folder("before")
    project()
    device.follow()
    with counted_queries() as statements:
        page = sync.list_changes(actor=tree.actor, cursor=device.cursor)
    assert (page.items, page.has_more) == ([], False)
    assert not [sql for sql in statements if "sync_change_journal" in sql]
    assert len([sql for sql in statements if "files_node" in sql or "sync_feed" in sql]) == 2


def test_a_snapshots_page_costs_the_same_whatever_it_holds(tree, device, counted_queries):
    for number in range(205):
        tree.folder(f"n{number}")
    project()
    counts = []
    cursor = sync.list_snapshot(actor=tree.actor, device_id=device.id, limit=1).next_cursor
    for size in (10, 200):
        with counted_queries() as statements:
            assert len(sync.list_snapshot(actor=tree.actor, device_id=device.id, cursor=cursor, limit=size).items) >= 10
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6


def test_catching_up_takes_few_statements_for_many_events(tree, counted_queries):
    for number in range(100):
        tree.file(f"n{number}")
    with counted_queries() as statements:
        project()
    assert len(statements) < 30


def test_snapshots_are_swept_after_a_day_and_few_are_kept(tree, device, monkeypatch):
    for _ in range(snapshots.KEPT_COUNT + 2):
        page = sync.list_snapshot(actor=tree.actor, device_id=device.id, limit=1)
    assert fetch("SELECT count(*) FROM sync_snapshot") == [(snapshots.KEPT_COUNT,)]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=25))
    assert snapshots.sweep() == snapshots.KEPT_COUNT
    assert fetch("SELECT count(*) FROM sync_snapshot_item") == [(0,)]
    with pytest.raises(CursorExpired):
        sync.list_snapshot(actor=tree.actor, device_id=device.id, cursor=page.next_cursor)


# --- dead letters and rebuilds ---------------------------------------------------------------------------------------------


def test_an_event_that_has_its_effect_out_of_turn_starts_another_epoch(tree, device):
    project()
    skipped = tree.folder("skipped")
    with db.read_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT last_seq FROM public.events_stream_head WHERE tenant_id = %s", [tree.actor.tenant.id])
        seq = cursor.fetchone()[0]
    consuming.give_up(consuming.get_consumer("sync"), seq, "left out")
    tree.folder("next")
    project()
    device.follow()
    assert skipped.id not in device.nodes
    with db.read_transaction():
        letter = DeadLetter.objects.get(consumer="sync", seq=seq)
    replay_dead_letter(letter_id=letter.id, by=None)
    with pytest.raises(CursorExpired):
        device.pull()
    device.take_snapshot()
    assert device.nodes == fresh_tree(tree.actor)


def test_a_rebuild_gives_the_tree_and_asks_devices_for_a_snapshot(tree, device):
    tree.file("x", tree.folder("b"))
    tree.trash(tree.folder("gone"))
    with db.write_transaction(), connection.cursor() as cursor:
        cursor.execute("UPDATE sync_node SET name = 'rotten'")
    rebuild(consumer="sync", by=None)
    project()
    assert_replica_is_the_tree()
    with pytest.raises(CursorExpired):
        device.pull()
    device.take_snapshot()
    tree.folder("after")
    project()
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


# --- conflicts -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def conflict(tree):
    file = tree.file("plan.txt")
    tree.write(file, b"one")
    copy = tree.write(file, b"two").node
    project()
    return file, copy


def test_an_edit_of_a_stale_version_is_listed_as_a_conflict(tree, conflict, make_actor):
    file, copy = conflict
    (open_one,) = sync.list_conflicts(actor=tree.actor).items
    assert (open_one.id, open_one.node.name, open_one.original.id) == (copy.id, copy.name, file.id)
    assert sync.list_conflicts(actor=make_actor("adam")).items == []


@pytest.mark.parametrize(
    ("keep", "names"),
    [("both", 2), ("original", ["plan.txt"]), ("copy", ["plan.txt"])],
    ids=["both", "original", "copy"],
)
def test_a_conflict_is_settled_once(tree, conflict, keep, names):
    file, copy = conflict
    sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep=keep)
    project()
    assert sync.list_conflicts(actor=tree.actor).items == []
    sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep=keep)
    left = files.list_children(actor=tree.actor, node_id="root").items
    if keep == "both":
        assert len(left) == names
        with pytest.raises(ConflictResolved):
            sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep="copy")
    else:
        assert [node.name for node in left] == names
        assert left[0].id == (file.id if keep == "original" else copy.id)


@pytest.mark.parametrize("keep", ["original", "copy"])
def test_an_edit_that_nobody_has_seen_is_not_put_into_the_trash(tree, conflict, keep):
    file, copy = conflict
    loser = tree.get(copy if keep == "original" else file)
    newer = tree.write(loser, b"newer than the conflict").node
    project()
    seen = SeenRevisions(copy=loser.revision, original=loser.revision)
    with pytest.raises(RevisionMismatch):
        sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep=keep, seen=seen)
    with pytest.raises(PreconditionRequired):
        sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep=keep)
    assert len(files.list_children(actor=tree.actor, node_id="root").items) == 2
    assert len(sync.list_conflicts(actor=tree.actor).items) == 1
    seen = SeenRevisions(**{"copy" if keep == "original" else "original": newer.revision})
    sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep=keep, seen=seen)
    (left,) = files.list_children(actor=tree.actor, node_id="root").items
    assert (left.id, left.name) == ((file if keep == "original" else copy).id, "plan.txt")


def test_both_may_stay_whatever_was_seen(tree, conflict):
    file, copy = conflict
    tree.write(tree.get(file), b"newer")
    sync.resolve_conflict(actor=tree.actor, conflict_id=copy.id, keep="both", seen=SeenRevisions(original=1, copy=1))
    assert len(files.list_children(actor=tree.actor, node_id="root").items) == 2
