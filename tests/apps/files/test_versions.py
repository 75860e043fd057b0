"""Versions of a file: listed, described, brought back and deleted, and never lost otherwise."""

from uuid import uuid4

import pytest

from apps.billing import api as billing
from apps.files import api as files
from apps.files import errors
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor
from tests.apps.files.conftest import Tree, assert_events_tell_all, events, fetch, last_seq


@pytest.fixture
def file(tree):
    """A file that was written three times."""
    made = tree.file("report.txt", content=b"1")
    for content in (b"22", b"333"):
        made = tree.write(made, content, made_on="laptop").node
    return made


def versions(tree, node, **more):
    return files.list_versions(actor=tree.actor, node_id=node.id, **more).items


def restore(tree, node, version, **more):
    more.setdefault("restore_id", uuid4())
    return files.restore_version(actor=tree.actor, node_id=node.id, version_id=version.id, made_on="web", **more)


def test_versions_are_listed_newest_first_with_who_where_and_how_large(tree, file):
    found = versions(tree, file)
    assert [(one.size_bytes, one.is_current, one.made_on) for one in found] == [
        (3, True, "laptop"),
        (2, False, "laptop"),
        (1, False, "another device"),
    ]
    assert {one.author.id for one in found} == {tree.actor.user_id}
    assert found[0].id == file.version_id


def test_a_long_history_comes_page_by_page(tree, file):
    first = files.list_versions(actor=tree.actor, node_id=file.id, limit=2)
    rest = files.list_versions(actor=tree.actor, node_id=file.id, limit=2, cursor=first.next_cursor)
    assert [one.size_bytes for one in [*first.items, *rest.items]] == [3, 2, 1]
    assert rest.next_cursor is None
    other = tree.file("other.txt")
    with pytest.raises(BadCursor):
        versions(tree, other, cursor=first.next_cursor)


def test_a_list_of_versions_costs_the_same_however_long_it_is(tree, file, counted_queries):
    with counted_queries() as few:
        versions(tree, file)
    for number in range(20):
        file = tree.write(file, b"x" * (number + 10)).node
    with counted_queries() as many:
        assert len(versions(tree, file)) == 23
    assert len(many) == len(few)


def test_restoring_makes_a_new_version_and_keeps_what_was_current(tree, file):
    oldest = versions(tree, file)[-1]
    node = restore(tree, file, oldest)
    assert (node.size_bytes, node.revision) == (1, file.revision + 1)
    found = versions(tree, file)
    assert [one.size_bytes for one in found] == [1, 3, 2, 1]
    assert (found[0].restored_from_id, found[0].made_on, found[0].content_hash) == (
        oldest.id,
        "web",
        oldest.content_hash,
    )
    assert fetch("SELECT count(DISTINCT blob_id) FROM files_version WHERE size_bytes = 1") == [(1,)]
    assert_events_tell_all()


def test_a_restore_that_is_repeated_has_its_effect_once(tree, file):
    oldest, restore_id = versions(tree, file)[-1], uuid4()
    first = restore(tree, file, oldest, restore_id=restore_id)
    again = restore(tree, file, oldest, restore_id=restore_id)
    assert first == again
    assert len(versions(tree, file)) == 4


def test_what_the_file_holds_already_is_not_restored(tree, file):
    same = restore(tree, file, versions(tree, file)[-1])
    for version in (versions(tree, file)[0], versions(tree, file)[-1]):
        with pytest.raises(errors.NothingToRestore):
            restore(tree, file, version)
    assert tree.get(file) == same


def test_a_version_keeps_its_label_and_its_pin(tree, file):
    middle = versions(tree, file)[1]
    which = {"actor": tree.actor, "node_id": file.id, "version_id": middle.id}
    files.update_version(**which, label="Sent to the client", pinned=True)
    assert [(one.label, one.pinned) for one in versions(tree, file)] == [
        ("", False),
        ("Sent to the client", True),
        ("", False),
    ]
    before = last_seq()
    assert files.update_version(**which, pinned=True).label == "Sent to the client"
    assert last_seq() == before, "what holds already is told once"
    assert files.update_version(**which, label="").label == ""
    assert_events_tell_all()


def test_a_deleted_version_gives_its_room_back(tree, file, monkeypatch):
    refunds = []
    monkeypatch.setattr(billing, "refund", lambda **told: refunds.append(told["size_bytes"]))
    files.delete_version(actor=tree.actor, node_id=file.id, version_id=versions(tree, file)[1].id)
    assert [one.size_bytes for one in versions(tree, file)] == [3, 1]
    assert refunds == [2]
    assert fetch("SELECT count(*) FROM files_refund") == [(0,)]
    assert events()[-1][0] == "files.version.deleted.v1"
    assert_events_tell_all()


def test_the_current_version_and_a_pinned_one_stay(tree, file):
    current, middle, _ = versions(tree, file)
    files.update_version(actor=tree.actor, node_id=file.id, version_id=middle.id, pinned=True)
    with pytest.raises(errors.VersionIsCurrent):
        files.delete_version(actor=tree.actor, node_id=file.id, version_id=current.id)
    with pytest.raises(errors.VersionPinned):
        files.delete_version(actor=tree.actor, node_id=file.id, version_id=middle.id)
    assert len(versions(tree, file)) == 3


def test_versions_follow_their_file_through_a_move_and_the_trash(tree, file):
    moved = tree.update(file, name="renamed.txt", parent_id=tree.folder("Archive").id)
    before = versions(tree, moved)
    tree.trash(moved)
    with pytest.raises(NotFound):
        versions(tree, moved)
    tree.restore(moved)
    assert versions(tree, moved) == before
    assert len(before) == 3


def test_a_version_belongs_to_its_file_alone(tree, file):
    other, foreign = tree.file("other.txt", content=b"55555"), versions(tree, file)[1]
    for act in (
        lambda: files.get_version(actor=tree.actor, node_id=other.id, version_id=foreign.id),
        lambda: files.update_version(actor=tree.actor, node_id=other.id, version_id=foreign.id, pinned=True),
        lambda: restore(tree, other, foreign),
        lambda: files.delete_version(actor=tree.actor, node_id=other.id, version_id=foreign.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_folder_has_no_versions(tree):
    with pytest.raises(errors.NotAFile):
        versions(tree, tree.folder("Reports"))


def test_a_stranger_knows_nothing_of_versions(tree, file, make_actor):
    stranger, version = Tree(make_actor("olga")), versions(tree, file)[1]
    for act in (
        lambda: versions(stranger, file),
        lambda: files.get_version(actor=stranger.actor, node_id=file.id, version_id=version.id),
        lambda: files.update_version(actor=stranger.actor, node_id=file.id, version_id=version.id, pinned=True),
        lambda: restore(stranger, file, version),
        lambda: files.delete_version(actor=stranger.actor, node_id=file.id, version_id=version.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_token_that_only_reads_changes_no_version(tree, file, make_actor):
    reader = Tree(make_actor("mia", scopes=frozenset({Scope.FILES_READ})))
    version = versions(reader, file)[1]
    for act in (
        lambda: files.update_version(actor=reader.actor, node_id=file.id, version_id=version.id, pinned=True),
        lambda: restore(reader, file, version),
        lambda: files.delete_version(actor=reader.actor, node_id=file.id, version_id=version.id),
    ):
        with pytest.raises(ScopeMissing):
            act()
