"""Edits that start from what is not there any more: kept beside, once for each edit, and stronger than a deletion."""

import threading
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import close_old_connections, connection

from apps.files import api as files
from apps.files import errors
from apps.files.dtos.uploads import Committed
from apps.files.operations import content as commits
from bitvault.kernel import clock, tenancy
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import (
    Tree,
    assert_events_tell_all,
    assert_tree_is_sound,
    events,
    fetch,
    hash_of,
    last_seq,
)
from tests.support import shares

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def editing(tree, file):
    """Begin an edit of a file as it is now."""
    return tree.grant(file.name, file.parent_id, mode="update", node_id=file.id, base_version_id=file.version_id)


def kinds(after):
    return [kind.removeprefix("files.").removesuffix(".v1") for kind, _ in events(after)]


def versions(node):
    return {row[0] for row in fetch("SELECT content_hash FROM files_version WHERE node_id = %s", [node.id])}


@pytest.fixture
def tree(tenant, actor):
    """Mia's tree; after each of these tests it is sound, and the events tell all of it."""
    tree = Tree(actor)
    yield tree
    assert_tree_is_sound()
    assert_events_tell_all()


# --- the name of the copy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("Mia's laptop", "Mia's laptop"),
        ("a/b\\c: *new?", "a-b-c- -new-"),
        ("x" * 100, "x" * 60),
        ("é" * 100, "é" * 30),
    ],
    ids=["plain", "unfit", "long", "wide"],
)
def test_a_copy_names_the_device_and_the_day(tree, sender, shown):
    file = tree.file("report.final.txt")
    grant = editing(tree, file)
    tree.write(file, b"winner")
    with clock.fixed_at(NOON):
        copy = tree.commit(grant, b"loser", made_on=sender).node
    assert copy.name == f"report.final (conflicted copy, {shown}, 2026-11-23).txt"


@pytest.mark.parametrize("stem", ["é" * 125, "x" * 251], ids=["wide", "long"])
def test_the_copy_of_a_long_name_is_cut_to_the_limit(tree, stem):
    file = tree.file(f"{stem}.txt")
    grant = editing(tree, file)
    tree.write(file, b"winner")
    name = tree.commit(grant, b"loser", made_on="ü" * 100).node.name
    assert name.endswith(").txt")
    assert "ü, " in name
    assert 250 <= len(name.encode()) <= 255


# --- one copy for each edit ------------------------------------------------------------------------------------------------


def test_one_edit_reported_by_many_makes_one_copy(tree):
    file = tree.file("plan.txt")
    grants = [editing(tree, file) for _ in range(5)]
    tree.write(file, b"winner")
    first = tree.commit(grants[0], b"loser", made_on="laptop")
    before = last_seq()
    for grant, device in zip(grants[1:], ("phone", "laptop", "tablet", "nas"), strict=True):
        assert tree.commit(grant, b"loser", made_on=device) == Committed(
            node=first.node, created=False, version_created=False
        )
    assert last_seq() == before
    assert tree.commit(editing_from(tree, file, grants[0]), b"another").node.id != first.node.id
    assert len(tree.names()) == 3


def editing_from(tree, file, grant):
    return tree.grant(file.name, mode="update", node_id=file.id, base_version_id=grant.base_version_id)


def test_an_edit_that_became_a_version_is_no_conflict_when_it_is_reported_again(tree):
    file = tree.file("plan.txt")
    late = editing(tree, file)
    edited = tree.write(file, b"mine").node
    current = tree.write(edited, b"built on mine").node
    assert tree.commit(late, b"mine") == Committed(node=current, created=False, version_created=False)
    assert tree.names() == ["plan.txt"]


def test_a_copy_that_was_renamed_or_edited_is_still_the_copy(tree):
    file = tree.file("plan.txt")
    first, second = editing(tree, file), editing(tree, file)
    tree.write(file, b"winner")
    copy = tree.commit(first, b"loser").node
    copy = tree.write(tree.update(copy, name="mine.txt"), b"more").node
    assert tree.commit(second, b"loser").node == copy


def test_a_copy_that_was_decided_against_does_not_come_back(tree):
    file = tree.file("plan.txt")
    first, second, third = (editing(tree, file) for _ in range(3))
    current = tree.write(file, b"winner").node
    copy = tree.commit(first, b"loser").node
    tree.trash(copy)
    assert tree.commit(second, b"loser") == Committed(node=current, created=False, version_created=False)
    assert tree.names() == ["plan.txt"]
    tree.trash(current)
    with pytest.raises(errors.NodeGone):
        tree.commit(third, b"loser")


def test_a_copy_that_was_deleted_for_ever_is_made_again(tree):
    file = tree.file("plan.txt")
    first, second = editing(tree, file), editing(tree, file)
    tree.write(file, b"winner")
    copy = tree.commit(first, b"loser").node
    tree.trash(copy)
    files.purge_node(actor=tree.actor, node_id=copy.id)
    assert tree.commit(second, b"loser").created


@pytest.mark.committed
def test_one_edit_reported_by_many_at_once_makes_one_copy(tree, tenant):
    file = tree.file("plan.txt")
    contents = [b"loser", b"another"] * 4
    grants = [editing(tree, file) for _ in contents]
    tree.write(file, b"winner")
    results = at_once(
        tenant, [lambda g=grant, c=content: tree.commit(g, c) for grant, content in zip(grants, contents, strict=True)]
    )
    assert sum(done.created for done in results) == 2
    for content in set(contents):
        assert len({done.node.id for done, brought in zip(results, contents, strict=True) if brought == content}) == 1
    assert len(tree.names()) == 3


def at_once(tenant, acts):
    """Run doors at once, each in a thread of its own; gives what they returned."""
    results, barrier = [None] * len(acts), threading.Barrier(len(acts))

    def run(number):
        try:
            with tenancy.entered(tenant):
                barrier.wait(30)
                results[number] = acts[number]()
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


# --- edit beats delete -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["before", "after"])
def test_an_edit_of_a_deleted_file_brings_it_back(tree, begun):
    folder = tree.folder("folder")
    file = tree.file("plan.txt", folder)
    grant = editing(tree, file)
    tree.trash(file)
    if begun == "after":
        grant = editing(tree, file)
    before = last_seq()
    done = tree.commit(grant, b"edit")
    assert (done.created, done.version_created) == (True, True)
    assert (done.node.id, done.node.name, done.node.parent_id) == (file.id, "plan.txt", folder.id)
    assert tree.get(file) == done.node
    assert kinds(before) == ["node.restored", "version.committed"]
    assert versions(file) == {hash_of(b"abc"), hash_of(b"edit")}
    assert files.list_trash(actor=tree.actor).items == []


@pytest.mark.parametrize("begun", ["before", "after"])
def test_an_edit_in_a_deleted_folder_comes_back_alone(tree, begun):
    outer = tree.folder("outer")
    file = tree.file("plan.txt", tree.folder("inner", tree.folder("deleted", outer)))
    other = tree.file("other.txt", file.parent_id)
    grant = editing(tree, file)
    deleted = files.list_path(actor=tree.actor, node_id=file.id).items[2]
    tree.trash(deleted)
    if begun == "after":
        grant = editing(tree, file)
    done = tree.commit(grant, b"edit")
    assert (done.node.id, done.node.name, done.node.parent_id) == (file.id, "plan.txt", outer.id)
    with pytest.raises(NotFound):
        tree.get(other)
    tree.restore(deleted)
    assert tree.names(file.parent_id) == ["other.txt"]
    tree.trash(outer)
    files.purge_node(actor=tree.actor, node_id=outer.id)


def test_the_root_takes_what_has_no_other_place_and_a_taken_name_gets_a_number(tree):
    outer = tree.folder("outer")
    file = tree.file("plan.txt", tree.folder("deleted", outer))
    grant = editing(tree, file)
    tree.trash(tree.get(file.parent_id))
    tree.trash(outer)
    tree.file("plan.txt", content=b"taken")
    done = tree.commit(grant, b"edit")
    assert (done.node.id, done.node.name, done.node.parent_id) == (file.id, "plan (2).txt", tree.root.id)


def test_a_stale_edit_of_a_deleted_file_brings_it_back_and_is_kept_beside(tree):
    file = tree.file("plan.txt")
    grant = editing(tree, file)
    edited = tree.write(file, b"theirs").node
    tree.trash(edited)
    done = tree.commit(grant, b"mine")
    assert done.node.id != file.id
    assert tree.get(file).content_hash == hash_of(b"theirs")
    assert sorted(tree.names()) == [done.node.name, "plan.txt"]


def test_bytes_that_were_deleted_do_not_come_back_by_themselves(tree):
    file = tree.file("plan.txt")
    unchanged, repeated, again = (editing(tree, file) for _ in range(3))
    edited = tree.write(file, b"edit").node
    tree.trash(edited)
    with pytest.raises(errors.NodeGone) as refused:
        tree.commit(repeated, b"edit")
    assert refused.value.facts == {"node_id": file.id}
    tree.restore(file)
    tree.trash(tree.write(edited, b"abc").node)
    for grant, content in ((unchanged, b"abc"), (again, b"edit")):
        with pytest.raises(errors.NodeGone):
            tree.commit(grant, content)
    assert tree.names() == []


@pytest.mark.parametrize("fate", ["parent lives", "parent trashed", "parent purged"])
def test_an_edit_of_a_file_that_was_deleted_for_ever_is_a_new_file(tree, fate):
    folder = tree.folder("folder")
    file = tree.file("plan.txt", folder)
    first, second = editing(tree, file), editing(tree, file)
    tree.trash(file)
    files.purge_node(actor=tree.actor, node_id=file.id)
    if fate != "parent lives":
        tree.trash(folder)
    if fate == "parent purged":
        files.purge_node(actor=tree.actor, node_id=folder.id)
    done = tree.commit(first, b"edit")
    assert (done.created, done.node.revision, done.node.name) == (True, 1, "plan.txt")
    assert done.node.parent_id == (folder.id if fate == "parent lives" else tree.root.id)
    assert tree.commit(second, b"edit") == Committed(node=done.node, created=False, version_created=False)


def test_an_edit_while_the_trash_is_being_emptied_is_a_new_file(tree):
    file = tree.file("plan.txt", tree.folder("folder"))
    grant = editing(tree, file)
    tree.trash(tree.get(file.parent_id))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.files.operations.purging.purge_or_send", lambda *_, **__: None)
        files.empty_trash(actor=tree.actor)
    assert tree.commit(grant, b"edit").node.parent_id == tree.root.id
    assert files.purge_expired() == 1


def test_a_repeated_commit_of_a_file_that_came_back_is_the_same(tree):
    file = tree.file("plan.txt")
    grant, upload_id = editing(tree, file), uuid4()
    tree.trash(file)
    first = tree.commit(grant, b"edit", upload_id=upload_id)
    before = last_seq()
    assert tree.commit(grant, b"edit", upload_id=upload_id) == Committed(
        node=first.node, created=False, version_created=True
    )
    assert last_seq() == before


def test_nobody_brings_back_what_is_not_theirs(tree, make_actor):
    file = tree.file("plan.txt")
    grant = editing(tree, file)
    tree.trash(file)
    olga = Tree(make_actor("olga"))
    with pytest.raises(NotFound):
        editing(olga, file)
    with pytest.raises(NotFound):
        olga.commit(grant, b"edit")
    with pytest.raises(NotFound):
        tree.grant("x", mode="overwrite", node_id=file.id)
    folder = tree.folder("folder")
    tree.trash(folder)
    with pytest.raises(errors.NotAFile):
        tree.grant("x", mode="update", node_id=folder.id, base_version_id=file.version_id)


def test_an_edit_brings_nothing_back_into_a_team_folder_that_has_ended(tree, make_actor):
    adam = Tree(make_actor("adam"))
    team = shares.make_team(adam.actor, "Team", shares.grant("everyone", "editor"))
    tree.actor = shares.live(tree.actor)
    file = tree.file("plan.txt", team)
    allowed = editing(tree, file)
    files.end_team_folder(actor=adam.actor, folder_id=team.id)
    for act in (lambda: tree.commit(allowed, b"edit"), lambda: editing(tree, file)):
        with pytest.raises(NotFound):
            act()


@pytest.mark.committed
def test_a_commit_and_the_deletion_of_a_folder_above_end_one_way_or_the_other(tree, tenant):
    for number in range(8):
        folder = tree.folder(f"folder {number}")
        file = tree.file("plan.txt", folder)
        grant = editing(tree, file)
        before = last_seq()
        at_once(tenant, [lambda g=grant: tree.commit(g, b"edit"), lambda f=folder: tree.trash(f)])
        happened = kinds(before)
        if happened[0] == "version.committed":
            assert happened == ["version.committed", "node.trashed"]
            with pytest.raises(NotFound):
                tree.get(file)
        else:
            assert happened == ["node.trashed", "node.restored", "version.committed"]
            assert tree.get(file).parent_id == tree.root.id
            tree.update(tree.get(file), name=f"{number}.txt")


@pytest.mark.committed
def test_the_deletion_of_a_folder_above_waits_for_a_commit_under_way(tree, tenant, monkeypatch):
    folder = tree.folder("folder")
    file = tree.file("plan.txt", folder)
    grant = editing(tree, file)
    before = last_seq()
    under_way, go_on = threading.Event(), threading.Event()
    real = commits.write_or_settle

    def write_later(*given):
        under_way.set()
        assert go_on.wait(30)
        return real(*given)

    monkeypatch.setattr(commits, "write_or_settle", write_later)

    def delete():
        assert under_way.wait(30)
        tree.trash(folder)

    def let_go():
        assert under_way.wait(30)
        deadline = time.monotonic() + 20
        while not fetch("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            if time.monotonic() > deadline or "node.trashed" in kinds(before):
                break
            time.sleep(0.01)
        go_on.set()

    at_once(tenant, [lambda: tree.commit(grant, b"edit"), delete, let_go])
    assert kinds(before) == ["version.committed", "node.trashed"]


# --- the same content ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plan.txt", "PLAN.txt"])
def test_a_new_file_that_is_there_already_converges(tree, name):
    file = tree.file("plan.txt", content=b"same")
    before = last_seq()
    done = tree.commit(tree.grant(name, autorename=True), b"same")
    assert done == Committed(node=file, created=False, version_created=False)
    assert last_seq() == before
    assert tree.commit(tree.grant(name, autorename=True), b"other").created


# --- moves -----------------------------------------------------------------------------------------------------------------


def test_a_move_to_a_taken_name_gets_a_number_when_it_may(tree):
    folder = tree.folder("folder")
    tree.file("plan.txt", folder)
    file = tree.file("PLAN.txt")
    with pytest.raises(errors.NameTaken):
        tree.update(file, parent_id=folder.id)
    assert tree.update(file, parent_id=folder.id, autorename=True).name == "PLAN (2).txt"
    assert tree.update(tree.get(file), name="Plan (2).txt", autorename=True).name == "Plan (2).txt"


def test_a_move_whose_answer_was_lost_can_be_asked_for_again(tree):
    file = tree.file("plan.txt")
    moved = tree.update(file, name="done.txt")
    before = last_seq()
    assert tree.update(file, name="done.txt") == moved
    assert last_seq() == before
    with pytest.raises(errors.RevisionMismatch):
        tree.update(file, name="other.txt")
