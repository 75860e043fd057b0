from datetime import timedelta
from uuid import uuid4

import pytest

from apps.files import api as files
from apps.files import errors
from bitvault.kernel import clock
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.kernel.pages import BadCursor
from tests.apps.files.conftest import Tree, assert_tree_is_sound, events, fetch, last_seq


def listed(tree, **more):
    return files.list_trash(actor=tree.actor, **more)


def test_a_trashed_node_is_gone_with_all_below_it(tree):
    inner = tree.folders("a/b")
    file = tree.file("x.txt", inner)
    top = files.find_by_path(actor=tree.actor, path="/a")
    tree.trash(top)
    for node in (top, inner, file):
        with pytest.raises(NotFound):
            tree.get(node)
    with pytest.raises(NotFound):
        files.get_content(actor=tree.actor, node_id=file.id)
    assert tree.names() == []
    assert_tree_is_sound()


def test_the_trash_tells_what_it_was_and_until_when(tree, actor):
    inner = tree.folders("a/b")
    moment = clock.now()
    with clock.fixed_at(moment):
        tree.trash(inner)
    (item,) = listed(tree).items
    assert (item.id, item.name, item.parent_id, item.origin_path) == (inner.id, "b", inner.parent_id, "/a/b")
    assert (item.trashed_by, item.trashed_at, item.expires_at) == (actor.user_id, moment, moment + timedelta(days=30))
    assert (item.revision, item.kind) == (2, "folder")


def test_the_event_names_the_old_place(tree):
    file = tree.file("a.txt")
    before = last_seq()
    tree.trash(file)
    ((kind, told),) = events(before)
    assert kind == "files.node.trashed.v1"
    assert (told["node_id"], told["old_parent_id"], told["name"], told["revision"]) == (
        str(file.id),
        str(tree.root.id),
        "a.txt",
        2,
    )


def test_a_trashed_name_is_free_again(tree):
    tree.trash(tree.file("a.txt"))
    tree.file("a.txt")
    assert tree.names() == ["a.txt"]


def test_a_large_folder_goes_as_one_row(tree, counted_queries):
    top = tree.folder("top")
    for number in range(20):
        tree.folder(str(number), top)
    with counted_queries() as statements:
        tree.trash(top)
    assert len(statements) <= 5, statements  # one of them asks whether something locked lies below
    assert fetch("SELECT count(*) FROM files_trash") == [(1,)]
    assert fetch("SELECT count(*) FROM files_node WHERE trashed_at IS NOT NULL") == [(1,)]


def test_a_stale_revision_is_refused(tree):
    file = tree.file("a.txt")
    tree.update(file, name="b.txt")
    with pytest.raises(errors.RevisionMismatch):
        files.trash_node(actor=tree.actor, node_id=file.id, expected_revision=1)
    files.trash_node(actor=tree.actor, node_id=file.id, expected_revision=2)


def test_trashing_twice_finds_nothing_the_second_time(tree):
    file = tree.file("a.txt")
    tree.trash(file)
    with pytest.raises(NotFound):
        tree.trash(file)


def test_the_root_is_not_thrown_away(tree):
    with pytest.raises(errors.RootFixed):
        tree.trash(tree.root)


def test_a_viewer_may_not(make_actor, tree):
    vera = Tree(make_actor("vera"))
    with pytest.raises(Forbidden):
        vera.trash(vera.root)


def test_the_trash_is_listed_latest_first_and_page_by_page(tree):
    for number in range(7):
        tree.trash(tree.folder(f"f{number}"))
    seen, cursor = [], None
    while True:
        page = listed(tree, limit=3, cursor=cursor)
        seen += [item.name for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"f{number}" for number in reversed(range(7))]


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9])
def test_an_impossible_page_is_refused(tree, limit):
    with pytest.raises(errors.LimitOutOfRange):
        listed(tree, limit=limit)


def test_a_cursor_of_somebody_else_is_refused(tree, make_actor):
    for number in range(3):
        tree.trash(tree.folder(str(number)))
    cursor = listed(tree, limit=1).next_cursor
    with pytest.raises(BadCursor):
        files.list_trash(actor=make_actor("olga"), cursor=cursor)


@pytest.mark.parametrize("count", [10, 200])
def test_listing_the_trash_takes_at_most_two_statements(tree, counted_queries, count):
    for number in range(count):
        tree.trash(tree.folder(str(number)))
    with counted_queries() as statements:
        assert len(listed(tree, limit=200).items) == count
    assert len(statements) <= 2, statements


# --- back ------------------------------------------------------------------------------------------------------------------


def test_a_restored_node_is_where_it_was(tree):
    inner = tree.folders("a/b")
    file = tree.file("x.txt", inner)
    tree.trash(inner)
    before = last_seq()
    restored = tree.restore(inner)
    assert (restored.parent_id, restored.name, restored.revision, restored.trashed_at) == (
        inner.parent_id,
        "b",
        3,
        None,
    )
    assert tree.get(file) == file
    assert listed(tree).items == []
    assert events(before) == [
        (
            "files.node.restored.v1",
            {
                "node_id": str(inner.id),
                "kind": "folder",
                "parent_id": str(inner.parent_id),
                "name": "b",
                "revision": 3,
                "media_type": None,
            },
        )
    ]
    assert_tree_is_sound()


def test_a_node_can_come_back_elsewhere_and_under_another_name(tree):
    other, file = tree.folder("other"), tree.file("a.txt")
    tree.trash(file)
    restored = tree.restore(file, parent_id=other.id, name="b.txt")
    assert (restored.parent_id, restored.name) == (other.id, "b.txt")
    assert_tree_is_sound()


def test_a_taken_name_is_refused_or_numbered_as_the_caller_says(tree):
    file = tree.file("a.txt")
    tree.trash(file)
    tree.file("A.txt")
    with pytest.raises(errors.NameTaken):
        tree.restore(file)
    assert tree.restore(file, on_conflict="rename").name == "a (2).txt"
    assert_tree_is_sound()


@pytest.mark.parametrize("fate", ["trashed", "purged", "below a trashed one", "deep below a trashed one"])
def test_what_lost_its_folder_goes_to_the_nearest_one_above_that_is_left(tree, fate):
    outer = tree.folder("outer")
    middle = tree.folder("middle", outer)
    folder = tree.folder("folder", middle)
    file = tree.file("a.txt", folder)
    tree.trash(file)
    if fate == "deep below a trashed one":
        tree.trash(folder)  # and what that was in goes too
    tree.trash(middle if "below" in fate else folder)
    if fate == "purged":
        files.purge_node(actor=tree.actor, node_id=folder.id)
    restored = tree.restore(file)
    left = outer if "below" in fate else middle
    assert (restored.parent_id, restored.name, restored.restored_to) == (left.id, "a.txt", "ancestor")
    assert restored.path == ("/outer/a.txt" if "below" in fate else "/outer/middle/a.txt")
    assert_tree_is_sound()


def test_a_folder_that_was_moved_before_it_was_trashed_counts_where_it_was_last(tree):
    here, there = tree.folder("here"), tree.folder("there")
    folder = tree.folder("folder", here)
    file = tree.file("a.txt", folder)
    tree.trash(file)
    tree.trash(tree.update(folder, parent_id=there.id))
    assert tree.restore(file).parent_id == there.id


def test_what_lost_all_of_its_folders_goes_to_the_root(tree):
    top = tree.folder("top")
    file = tree.file("a.txt", tree.folder("inner", top))
    tree.trash(file)
    tree.trash(top)
    files.purge_node(actor=tree.actor, node_id=top.id)
    assert tree.restore(file).parent_id == tree.root.id
    assert_tree_is_sound()


def test_an_answer_says_where_a_node_came_back_to(tree):
    inner = tree.folders("a/b")
    other, file = tree.folder("other"), tree.file("x.txt", inner)
    tree.trash(file)
    back = tree.restore(file)
    assert (back.root_id, back.path, back.restored_to) == (tree.root.id, "/a/b/x.txt", "origin")
    tree.trash(file)
    back = tree.restore(file, parent_id=other.id)
    assert (back.path, back.restored_to) == ("/other/x.txt", "named")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_has_the_name_gives_way_when_the_caller_says_so(tree, kind):
    file = tree.file("a.txt", content=b"mine")
    tree.trash(file)
    taker = tree.file("A.txt") if kind == "file" else tree.folder("A.txt")
    back = tree.restore(file, on_conflict="replace")
    assert (back.id, back.name, tree.names()) == (file.id, "a.txt", ["a.txt"])
    assert [item.id for item in listed(tree).items] == [taker.id]
    assert_tree_is_sound()


def test_replacing_fits_into_a_full_folder(tree, monkeypatch):
    file = tree.file("a.txt")
    tree.trash(file)
    tree.file("a.txt")
    monkeypatch.setattr("apps.files.limits.CHILDREN_LIMIT", 1)
    assert tree.restore(file, on_conflict="replace").id == file.id


def restore_set(tree, nodes, **more):
    return files.restore_nodes(actor=tree.actor, node_ids=[node.id for node in nodes], **more)


def test_a_set_comes_back_whole_whatever_its_order(tree):
    top = tree.folders("a/b")
    files_in_it = [tree.file(f"{number}.txt", top) for number in range(3)]
    for node in (*files_in_it, top):
        tree.trash(node)
    outcomes = restore_set(tree, [*files_in_it, top])
    assert [one.id for one in outcomes] == [*(file.id for file in files_in_it), top.id]
    assert {one.node.restored_to for one in outcomes} == {"origin"}
    assert tree.names(top) == ["0.txt", "1.txt", "2.txt"]
    assert_tree_is_sound()


def test_one_of_a_set_that_is_refused_keeps_no_other_in_the_trash(tree, make_actor):
    good, taken = tree.file("good.txt"), tree.file("taken.txt")
    hers = Tree(make_actor("olga")).file("hers.txt")
    tree.trash(good)
    tree.trash(taken)
    tree.file("taken.txt")
    first, second, third = restore_set(tree, [taken, hers, good], on_conflict="fail")
    assert (first.problem["code"], second.problem["code"], third.node.id) == (
        "files.name_taken",
        "access.not_found",
        good.id,
    )
    assert_tree_is_sound()


def test_a_set_can_be_sent_again(tree):
    nodes = [tree.file(f"{number}.txt") for number in range(3)]
    for node in nodes:
        tree.trash(node)
    first = restore_set(tree, nodes)
    before = last_seq()
    assert restore_set(tree, [*nodes, nodes[0]]) == [*first, first[0]]
    assert last_seq() == before


def test_a_set_has_a_limit(tree):
    with pytest.raises(errors.TooManyAtOnce):
        files.restore_nodes(actor=tree.actor, node_ids=[uuid4()] * 1001)


def test_a_large_set_holds_the_tree_for_a_part_of_it_at_a_time(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.RESTORE_BATCH", 2)
    top = tree.folder("top")
    nodes = [top, *(tree.file(f"{number}.txt", top) for number in range(4))]
    for node in reversed(nodes):
        tree.trash(node)
    restore_set(tree, list(reversed(nodes)))
    assert len(tree.names(top)) == 4


def test_what_went_into_the_trash_before_its_folder_comes_back_by_itself(tree):
    folder = tree.folder("folder")
    file = tree.file("a.txt", folder)
    tree.trash(file)
    tree.trash(folder)
    tree.restore(folder)
    assert tree.names(folder) == []
    tree.restore(file)
    assert tree.names(folder) == ["a.txt"]


def test_a_folder_that_was_named_and_is_not_there_is_not_found(tree):
    file, gone = tree.file("a.txt"), tree.folder("gone")
    tree.trash(file)
    tree.trash(gone)
    for parent_id in (uuid4(), gone.id):
        with pytest.raises(NotFound):
            tree.restore(file, parent_id=parent_id, on_conflict="rename")


def test_a_folder_cannot_be_restored_into_itself(tree):
    inner = tree.folders("a/b")
    top = files.find_by_path(actor=tree.actor, path="/a")
    tree.trash(top)
    for parent_id in (top.id, inner.id):
        with pytest.raises(NotFound):
            tree.restore(top, parent_id=parent_id)


def test_somebody_elses_trash_is_not_found(tree, make_actor):
    file = tree.file("a.txt")
    tree.trash(file)
    olga = Tree(make_actor("olga"))
    assert listed(olga).items == []
    with pytest.raises(NotFound):
        olga.restore(file)
    with pytest.raises(NotFound):
        files.purge_node(actor=olga.actor, node_id=file.id)


def test_what_is_not_in_the_trash_is_not_found_there(tree):
    inner = tree.folders("a/b")
    tree.trash(files.find_by_path(actor=tree.actor, path="/a"))
    for node_id in (tree.file("x.txt").id, inner.id, uuid4()):
        with pytest.raises(NotFound):
            files.restore_node(actor=tree.actor, node_id=node_id)
        with pytest.raises(NotFound):
            files.purge_node(actor=tree.actor, node_id=node_id)


def test_the_limits_hold_on_the_way_back(tree, monkeypatch):
    tall = tree.folders("1/2/3")
    top = files.find_by_path(actor=tree.actor, path="/1")
    tree.trash(top)
    deep = tree.folders("a/b/c")
    monkeypatch.setattr("apps.files.limits.DEPTH_LIMIT", 5)
    with pytest.raises(errors.TooDeep):
        tree.restore(top, parent_id=deep.id)
    tree.restore(top, parent_id=deep.parent_id)
    assert [node.name for node in files.list_path(actor=tree.actor, node_id=tall.id).items[1:]] == [
        "a",
        "b",
        "1",
        "2",
        "3",
    ]
    assert_tree_is_sound()


def test_restoring_takes_at_most_eight_statements(tree, counted_queries):
    folder = tree.folder("x")
    tree.trash(folder)
    with counted_queries() as statements:
        tree.restore(folder)
    assert len(statements) <= 8, statements  # one of them carries holds along
