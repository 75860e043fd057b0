from datetime import timedelta

import pytest

from apps.billing import api as billing
from apps.files import api as files
from apps.files import limits, models
from apps.files.operations import purging
from bitvault.jobs.errors import Canceled
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import assert_tree_is_sound, events, fetch, last_seq


@pytest.fixture
def refunds(monkeypatch):
    """Listen at billing's door."""
    given = []
    door = billing.refund

    def listening(*, cause_id, size_bytes):
        given.append((cause_id, size_bytes))
        door(cause_id=cause_id, size_bytes=size_bytes)

    monkeypatch.setattr(billing, "refund", listening)
    return given


def counts():
    return {
        table: fetch(f"SELECT count(*) FROM {table}")[0][0] for table in ("files_node", "files_version", "files_trash")
    }


def test_a_purged_node_leaves_nothing(tree, refunds):
    before = counts()
    folder = tree.folder("folder")
    file = tree.file("a.txt", folder, b"12345")
    tree.write(file, b"1234567")
    tree.trash(folder)
    files.purge_node(actor=tree.actor, node_id=folder.id)
    assert counts() == before
    assert [size_bytes for _, size_bytes in refunds] == [12]
    assert fetch("SELECT count(*) FROM files_refund") == [(0,)]
    with pytest.raises(NotFound):
        tree.restore(folder)
    assert_tree_is_sound()


def test_what_lies_elsewhere_stays(tree):
    keep, folder = tree.file("keep.txt"), tree.folder("folder")
    earlier = tree.file("earlier.txt", folder)
    tree.trash(earlier)
    tree.trash(folder)
    files.purge_node(actor=tree.actor, node_id=folder.id)
    assert tree.get(keep) == keep
    assert tree.restore(earlier, parent_id=tree.root.id).name == "earlier.txt"
    assert_tree_is_sound()


def test_the_events_name_every_node_and_every_blob_once(tree, monkeypatch):
    monkeypatch.setattr(limits, "PURGE_BATCH", 4)
    folder = tree.folder("folder")
    nodes, blobs = [folder], []
    for number in range(3):
        inner = tree.folder(str(number), folder)
        nodes += [inner, *(tree.file(f"{n}.txt", inner) for n in range(2))]
    blobs = [str(row[0]) for row in fetch("SELECT blob_id FROM files_version")]
    tree.trash(folder)
    before = last_seq()
    files.purge_node(actor=tree.actor, node_id=folder.id)
    told = [payload for kind, payload in events(before) if kind == "files.node.purged.v1"]
    assert sorted(node_id for part in told for node_id in part["purged_node_ids"]) == sorted(
        str(node.id) for node in nodes
    )
    assert sorted(blob_id for part in told for blob_id in part["blob_ids"]) == sorted(blobs)
    assert [part["is_last"] for part in told] == [False, False, True]
    assert {part["node_id"] for part in told} == {str(folder.id)}
    assert sum(part["size_bytes"] for part in told) == 18


def test_a_large_purge_goes_on_in_the_background(tree, monkeypatch, refunds):
    monkeypatch.setattr(limits, "PURGE_BATCH", 2)
    monkeypatch.setattr(limits, "PURGE_BATCHES_AT_ONCE", 1)
    folder = tree.folder("folder")
    for number in range(6):
        tree.file(f"{number}.txt", folder)
    tree.trash(folder)
    files.purge_node(actor=tree.actor, node_id=folder.id)
    assert list(Job.objects.values_list("kind", "key", "state")) == [("files.purge", folder.id.hex, "queued")]
    assert files.list_trash(actor=tree.actor).items == []
    assert [size_bytes for _, size_bytes in refunds] == [6], "room comes back as the purge goes on"
    with pytest.raises(NotFound):
        tree.restore(folder)
    assert_tree_is_sound()
    assert files.purge_expired() == 1
    assert counts() == {"files_node": 1, "files_version": 0, "files_trash": 0}
    assert sum(size_bytes for _, size_bytes in refunds) == 18


@pytest.mark.parametrize("step", ["after the mark", "after a batch", "after the last batch", "after the refund"])
def test_an_interrupted_purge_is_finished_by_the_next_sweep(tree, monkeypatch, refunds, step):
    monkeypatch.setattr(limits, "PURGE_BATCH", 3)
    folder = tree.folder("folder")
    for number in range(5):
        tree.file(f"{number}.txt", folder)
    tree.trash(folder)
    purging.mark_one(actor=tree.actor, node_id=folder.id)
    if step != "after the mark":
        purging._purge_batch(None)
    if step in ("after the last batch", "after the refund"):
        purging._purge_batch(None)
    if step == "after the refund":
        for refund_id, size_bytes in fetch("SELECT id, size_bytes FROM files_refund"):
            billing.refund(cause_id=refund_id, size_bytes=size_bytes)
    files.purge_expired()
    assert counts() == {"files_node": 1, "files_version": 0, "files_trash": 0}
    assert sum(dict(refunds).values()) == 15
    assert fetch("SELECT count(*) FROM files_refund") == [(0,)]
    assert_tree_is_sound()


def test_a_purge_that_older_code_has_begun_gives_back_what_that_had_freed(tree, refunds):
    file, gone = tree.file("a.txt", content=b"123"), tree.file("b.txt")
    tree.trash(file)
    tree.trash(gone)
    purging.mark_all(actor=tree.actor, root="root")
    purging._purge_batch([gone.id])
    with db.write_transaction():
        models.Refund.objects.all().delete()
        models.Trash.objects.filter(node_id=file.id).update(purged_bytes=7)
        models.Trash.objects.create(
            node_id=gone.id,
            root_id=tree.root.id,
            origin_parent_id=tree.root.id,
            origin_path="/b.txt",
            trashed_by=tree.actor.user_id,
            trashed_at=clock.now(),
            expires_at=clock.now(),
            purging=True,
            purged_bytes=5,
        )
    files.purge_expired()
    assert dict(refunds)[file.id] == 7
    assert dict(refunds)[gone.id] == 5
    assert sum(dict(refunds).values()) == 15
    assert counts()["files_trash"] == 0


def test_one_run_goes_on_until_nothing_is_due(tree, monkeypatch, refunds):
    monkeypatch.setattr(limits, "PURGE_BATCH", 3)
    monkeypatch.setattr(limits, "EXPIRY_BATCH", 4)
    for number in range(10):
        tree.trash(tree.file(f"{number}.txt"))
    with clock.fixed_at(clock.now() + timedelta(days=31)):
        assert files.purge_expired() == 10
    assert counts() == {"files_node": 1, "files_version": 0, "files_trash": 0}
    assert sum(size_bytes for _, size_bytes in refunds) == 30


def test_small_purges_share_a_transaction(tree, counted_queries):
    for number in range(50):
        tree.trash(tree.file(f"{number}.txt"))
    with counted_queries() as statements:
        files.empty_trash(actor=tree.actor)
    assert len(statements) <= 25, statements
    assert counts() == {"files_node": 1, "files_version": 0, "files_trash": 0}


def test_one_purge_that_fails_keeps_no_other_waiting_and_is_tried_again(tree, monkeypatch, refunds):
    nodes = [tree.file(f"{number}.txt") for number in range(5)]
    for node in nodes:
        tree.trash(node)
    gather = purging._gather

    def failing(node_id, *arguments):
        if node_id == nodes[0].id:
            raise RuntimeError("this one cannot be purged")
        return gather(node_id, *arguments)

    monkeypatch.setattr(purging, "_gather", failing)
    files.empty_trash(actor=tree.actor)
    assert fetch("SELECT node_id FROM files_trash") == [(nodes[0].id,)]
    assert sum(size_bytes for _, size_bytes in refunds) == 12
    assert files.purge_expired() == 0
    monkeypatch.setattr(purging, "_gather", gather)
    assert files.purge_expired() == 0, "it waits for an hour"
    with clock.fixed_at(clock.now() + limits.PURGE_POSTPONED):
        assert files.purge_expired() == 1
    assert counts() == {"files_node": 1, "files_version": 0, "files_trash": 0}


def test_a_refund_that_fails_keeps_no_purge_waiting_and_is_not_forgotten(tree, monkeypatch):
    door, given = billing.refund, []

    def failing(*, cause_id, size_bytes):
        raise RuntimeError("nobody answers")

    monkeypatch.setattr(billing, "refund", failing)
    for number in range(2):
        tree.trash(tree.file(f"{number}.txt"))
        files.empty_trash(actor=tree.actor)
    assert counts() == {"files_node": 1, "files_version": 0, "files_trash": 0}
    monkeypatch.setattr(billing, "refund", lambda **told: (given.append(told["size_bytes"]), door(**told)))
    files.purge_expired()
    assert given == [3, 3]


def test_a_job_is_asked_for_where_something_is_due_and_only_there(tree):
    assert not files.request_due_purge()
    tree.trash(tree.file("a.txt"))
    assert not files.request_due_purge()
    purging.mark_all(actor=tree.actor, root="root")
    assert files.request_due_purge()
    assert files.request_due_purge()
    assert list(Job.objects.values_list("kind", "key")) == [("files.purge", "due")]
    files.purge_expired()
    assert not files.request_due_purge()
    tree.trash(tree.file("b.txt"))
    with clock.fixed_at(clock.now() + timedelta(days=31)):
        assert files.request_due_purge()


def test_a_job_reports_each_batch_and_is_stopped_between_two(tree, monkeypatch):
    monkeypatch.setattr(limits, "PURGE_BATCH", 2)
    reported = []

    def report(done_count, total_count=None):
        reported.append(done_count)
        if len(reported) == 2:
            raise Canceled

    for number in range(6):
        tree.trash(tree.file(f"{number}.txt"))
    purging.mark_all(actor=tree.actor, root="root")
    with monkeypatch.context() as stopped, pytest.raises(Canceled):
        stopped.setattr(purging.jobs, "report_progress", report)
        files.purge_expired()
    assert reported == [2, 4]
    assert files.purge_expired() == 2
    assert counts()["files_trash"] == 0


def test_emptying_the_trash_takes_all_of_it_and_nothing_else(tree, make_actor, monkeypatch):
    monkeypatch.setattr(limits, "PURGE_BATCHES_AT_ONCE", 100)
    monkeypatch.setattr(limits, "EXPIRY_BATCH", 2)
    from tests.apps.files.conftest import Tree

    keep = tree.file("keep.txt")
    for number in range(5):
        tree.trash(tree.file(f"{number}.txt"))
    olga = Tree(make_actor("olga"))
    hers = olga.file("hers.txt")
    olga.trash(hers)
    files.empty_trash(actor=tree.actor)
    assert files.list_trash(actor=tree.actor).items == []
    assert tree.get(keep) == keep
    assert olga.restore(hers).id == hers.id
    assert fetch("SELECT count(*) FROM files_trash") == [(0,)]


def test_emptying_an_empty_trash_is_no_error(tree):
    files.empty_trash(actor=tree.actor)


def test_what_is_due_goes_and_what_is_not_stays(tree):
    old, young = tree.file("old.txt"), tree.file("young.txt")
    now = clock.now()
    with clock.fixed_at(now - timedelta(days=30)):
        tree.trash(old)
    with clock.fixed_at(now - timedelta(days=29)):
        tree.trash(young)
    with clock.fixed_at(now):
        assert files.purge_expired() == 1
    assert [item.id for item in files.list_trash(actor=tree.actor).items] == [young.id]


def test_purging_twice_finds_nothing_the_second_time(tree):
    file = tree.file("a.txt")
    tree.trash(file)
    files.purge_node(actor=tree.actor, node_id=file.id)
    with pytest.raises(NotFound):
        files.purge_node(actor=tree.actor, node_id=file.id)


def test_a_reading_token_may_not(tree, make_actor):
    reader = make_actor("mia", scopes=frozenset({Scope.FILES_READ}))
    file = tree.file("a.txt")
    tree.trash(file)
    with pytest.raises(ScopeMissing):
        files.purge_node(actor=reader, node_id=file.id)
    with pytest.raises(ScopeMissing):
        files.empty_trash(actor=reader)
