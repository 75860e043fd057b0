from datetime import UTC, datetime
from uuid import uuid4

import pytest

from apps.files import api as files
from apps.files import errors
from bitvault.kernel.errors import Forbidden, NotFound, PreconditionRequired
from tests.apps.files.conftest import Tree, assert_tree_is_sound, events, fetch, last_seq


def test_a_node_gets_another_name(tree):
    file = tree.file("draft.txt")
    renamed = tree.update(file, name="final.txt")
    assert (renamed.id, renamed.name, renamed.revision) == (file.id, "final.txt", 2)
    assert (renamed.modified_at, renamed.version_id) == (file.modified_at, file.version_id)
    assert tree.get(file) == renamed
    assert tree.names() == ["final.txt"]
    assert_tree_is_sound()


def test_a_node_gets_another_folder_and_name_at_once(tree):
    target, file = tree.folder("target"), tree.file("a.txt")
    before = last_seq()
    moved = tree.update(file, name="b.txt", parent_id=target.id)
    assert (moved.parent_id, moved.name) == (target.id, "b.txt")
    assert events(before) == [
        (
            "files.node.moved.v1",
            {
                "node_id": str(file.id),
                "kind": "file",
                "parent_id": str(target.id),
                "old_parent_id": str(tree.root.id),
                "name": "b.txt",
                "old_name": "a.txt",
                "revision": 2,
                "media_type": "text/plain",
                "client_modified_at": None,
                "actor_kind": "user",
            },
        )
    ]
    assert_tree_is_sound()


@pytest.mark.parametrize("name", ["REPORT.TXT", "Report.txt"])
def test_a_change_of_case_alone_renames_the_same_node(tree, name):
    file = tree.file("report.txt")
    renamed = tree.update(file, name=name)
    assert (renamed.id, renamed.name, renamed.revision) == (file.id, name, 2)


def test_asking_for_what_holds_already_changes_nothing(tree):
    file = tree.file("a.txt")
    before = last_seq()
    assert tree.update(file, name="a.txt", parent_id=tree.root.id) == file
    assert last_seq() == before


def test_a_taken_name_is_refused_and_nothing_changes(tree):
    folder, file = tree.folder("Taken"), tree.file("a.txt")
    with pytest.raises(errors.NameTaken) as refused:
        tree.update(file, name="taken")
    assert refused.value.facts == {"node_id": folder.id, "kind": "folder", "name": "Taken"}
    assert tree.get(file) == file
    assert_tree_is_sound()


def test_a_name_taken_in_the_new_folder_is_refused(tree):
    target, file = tree.folder("target"), tree.file("a.txt")
    tree.file("A.TXT", target)
    with pytest.raises(errors.NameTaken):
        tree.update(file, parent_id=target.id)
    assert tree.get(file) == file


def test_a_stale_revision_is_refused_with_the_present_one(tree):
    file = tree.file("a.txt")
    tree.update(file, name="b.txt")
    with pytest.raises(errors.RevisionMismatch) as refused:
        tree.update(file, name="c.txt")
    assert refused.value.facts == {"revision": 2}
    assert tree.update(file, name="c.txt", expected_revision="any").revision == 3


def test_a_caller_says_which_state_it_changes(tree):
    file = tree.file("a.txt")
    with pytest.raises(PreconditionRequired):
        tree.update(file, name="b.txt", expected_revision=None)


def test_nothing_to_change_is_an_error(tree):
    with pytest.raises(errors.NothingToChange):
        tree.update(tree.file("a.txt"))


def test_the_root_stays_as_it_is(tree):
    for node_id in ("root", tree.root.id):
        with pytest.raises(errors.RootFixed):
            files.update_node(actor=tree.actor, node_id=node_id, name="x", expected_revision="any")
    with pytest.raises(errors.RootFixed):
        tree.update(tree.root, parent_id=tree.folder("x").id)


def test_a_folder_cannot_go_into_itself(tree):
    outer = tree.folder("outer")
    middle = tree.folder("middle", outer)
    inner = tree.folder("inner", middle)
    for target in (outer, middle, inner):
        with pytest.raises(errors.MoveCycle):
            tree.update(outer, parent_id=target.id)
    assert_tree_is_sound()


def test_a_file_holds_nothing(tree):
    file, folder = tree.file("a.txt"), tree.folder("x")
    with pytest.raises(errors.NotAFolder):
        tree.update(folder, parent_id=file.id)


def test_a_target_that_is_not_there_is_not_found(tree, make_actor):
    file, gone = tree.file("a.txt"), tree.folder("gone")
    tree.trash(gone)
    strangers = Tree(make_actor("olga")).folder("hers")
    for parent_id in (uuid4(), gone.id, strangers.id):
        with pytest.raises(NotFound):
            tree.update(file, parent_id=parent_id)


def test_another_persons_node_is_not_found(tree, make_actor):
    file = tree.file("a.txt")
    olga = Tree(make_actor("olga"))
    for change in ({"name": "b"}, {"parent_id": olga.root.id}):
        with pytest.raises(NotFound):
            olga.update(file, **change)


def test_a_viewer_may_not(tree, make_actor):
    vera = Tree(make_actor("vera"))
    with pytest.raises(Forbidden):
        vera.update(vera.root, name="x")


def test_a_whole_subtree_moves_as_one_row(tree, counted_queries):
    top, target = tree.folder("top"), tree.folders("a/b/c")
    for outer in range(5):
        middle = tree.folder(str(outer), top)
        for inner in range(5):
            tree.folder(str(inner), middle)
    before = {row[0]: row[1:] for row in fetch("SELECT id, xmin::text, parent_id FROM files_node")}
    with counted_queries() as statements:
        tree.update(top, parent_id=target.id)
    after = {row[0]: row[1:] for row in fetch("SELECT id, xmin::text, parent_id FROM files_node")}
    moved = {node_id for node_id in after if after[node_id][1] != before[node_id][1]}
    assert moved == {top.id}
    assert len(statements) <= 5, statements  # one of them carries holds along
    assert files.list_path(actor=tree.actor, node_id=middle.id).items[-2].name == "top"
    assert_tree_is_sound()


def test_nothing_below_passes_the_depth(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.DEPTH_LIMIT", 6)
    tall, deep = tree.folders("1/2/3"), tree.folders("a/b/c/d")
    top = files.find_by_path(actor=tree.actor, path="/1")
    with pytest.raises(errors.TooDeep) as refused:
        tree.update(top, parent_id=deep.id)
    assert refused.value.facts == {"limit": 6, "depth": 7}
    assert files.list_path(actor=tree.actor, node_id=tall.id).items[1].id == top.id
    tree.update(top, parent_id=deep.parent_id)
    assert_tree_is_sound()


def test_nothing_below_passes_the_length_of_path(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.PATH_LIMIT_BYTES", 40)
    tree.folders("aaaaaaaaa/bbbbbbbbb/ccccccccc")  # 30 bytes
    top = files.find_by_path(actor=tree.actor, path="/aaaaaaaaa")
    with pytest.raises(errors.PathTooLong) as refused:
        tree.update(top, name="a" * 20)
    assert refused.value.facts == {"limit_bytes": 40, "size_bytes": 41}
    tree.update(top, name="a" * 19)
    assert_tree_is_sound()


def test_what_has_left_a_folder_does_not_weigh_on_it_for_ever(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.DEPTH_LIMIT", 4)
    tree.folders("top/2/3/4")
    top = files.find_by_path(actor=tree.actor, path="/top")
    tree.trash(files.find_by_path(actor=tree.actor, path="/top/2"))
    assert fetch("SELECT levels_below_bound FROM files_node WHERE id = %s", [top.id]) == [(3,)]
    moved = tree.update(top, parent_id=tree.folder("other").id)
    assert fetch("SELECT levels_below_bound FROM files_node WHERE id = %s", [top.id]) == [(0,)]
    # The corrected bound grows again with what comes.
    tree.folder("x", moved)
    assert_tree_is_sound()


def test_a_corrected_bound_is_raised_through_folders_whose_own_is_still_high(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.DEPTH_LIMIT", 5)
    tree.folders("top/2/3/4")
    top = files.find_by_path(actor=tree.actor, path="/top")
    second = files.find_by_path(actor=tree.actor, path="/top/2")
    tree.trash(files.find_by_path(actor=tree.actor, path="/top/2/3"))
    top = tree.update(top, parent_id=tree.folders("a/b").id)  # only right by the exact figures
    tree.folder("3", second)  # /2 still believes in two levels; /top has just learnt that it has one
    assert_tree_is_sound()


def test_old_state_and_event_make_the_new_state(tree):
    file, target = tree.file("a.txt"), tree.folder("t")
    before = last_seq()
    moved = tree.update(file, name="b.txt", parent_id=target.id)
    ((_, told),) = events(before)
    rebuilt = {**{name: getattr(file, name) for name in ("id", "kind", "name", "parent_id", "revision")}}
    rebuilt |= {"name": told["name"], "parent_id": target.id, "revision": told["revision"]}
    assert rebuilt == {name: getattr(moved, name) for name in rebuilt}


def test_a_rename_tells_the_type_anew_that_the_name_had_told(tree):
    file = tree.file("a.txt")
    renamed = tree.update(file, name="a.md")
    assert (renamed.media_type, tree.get(file).media_type) == ("text/markdown", "text/markdown")
    assert files.get_content(actor=tree.actor, node_id=file.id).media_type == "text/markdown"
    assert events()[-1][1]["media_type"] == "text/markdown"


def test_a_rename_leaves_a_type_that_the_sender_has_named(tree):
    file = tree.commit(tree.grant("a.bin"), media_type="image/png").node
    assert tree.update(file, name="a.md").media_type == "image/png"


def test_a_version_keeps_the_type_that_it_came_with(tree):
    file = tree.file("a.txt")
    tree.write(tree.update(file, name="a.md"), b"another", media_type="text/html")
    old = files.get_content(actor=tree.actor, node_id=file.id, version_id=file.version_id)
    new = files.get_content(actor=tree.actor, node_id=file.id)
    assert (old.media_type, new.media_type) == ("text/plain", "text/html")


def test_an_upload_under_the_old_name_takes_the_type_of_the_new_one(tree):
    file = tree.file("a.txt")
    grant = tree.grant("a.txt", mode="update", node_id=file.id, base_version_id=file.version_id)
    tree.update(file, name="a.md")
    assert tree.commit(grant, b"more").node.media_type == "text/markdown"


LONG_AGO = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_the_time_that_a_device_tells_of_can_be_set(tree):
    file = tree.file("a.txt")
    changed = tree.update(file, client_modified_at=LONG_AGO)
    assert (changed.client_modified_at, changed.modified_at) == (LONG_AGO, file.modified_at)
    assert (changed.revision, tree.get(file)) == (2, changed)
    kind, told = events()[-1]
    assert (kind, told["node_id"], told["revision"]) == ("files.node.changed.v1", str(file.id), 2)


def test_the_time_can_be_set_together_with_a_name(tree):
    changed = tree.update(tree.file("a.txt"), name="b.txt", client_modified_at=LONG_AGO)
    assert (changed.name, changed.client_modified_at, changed.revision) == ("b.txt", LONG_AGO, 2)


def test_the_time_that_is_set_already_changes_nothing(tree):
    file = tree.update(tree.file("a.txt"), client_modified_at=LONG_AGO)
    before = last_seq()
    assert tree.update(file, client_modified_at=LONG_AGO, expected_revision=1).revision == 2
    assert last_seq() == before


def test_a_time_beside_a_stale_revision_is_refused(tree):
    file = tree.update(tree.file("a.txt"), name="b.txt")
    with pytest.raises(errors.RevisionMismatch):
        tree.update(file, client_modified_at=LONG_AGO, expected_revision=1)


def test_content_that_comes_without_a_time_has_none(tree):
    file = tree.update(tree.file("a.txt"), client_modified_at=LONG_AGO)
    assert tree.write(file, b"another").node.client_modified_at is None
