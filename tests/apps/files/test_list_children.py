import itertools
import random
from uuid import uuid4

import pytest

from apps.files import api as files
from apps.files import errors
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor
from tests.apps.files.conftest import Tree


def pages(tree, folder, **more):
    cursor = None
    while True:
        page = files.list_children(actor=tree.actor, node_id=folder.id, cursor=cursor, **more)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def all_names(tree, folder, **more):
    return [item.name for item in itertools.chain.from_iterable(pages(tree, folder, **more))]


@pytest.fixture
def mixed(tree):
    """A folder of folders and files whose orders by name, time and size all differ."""
    folder = tree.folder("mixed")
    for name, size in (("b10.txt", 3), ("b9.txt", 1), ("A.txt", 2)):
        tree.file(name, folder, b"x" * size)
    for name in ("z", "Y 2", "y 10"):
        tree.folder(name, folder)
    return folder


@pytest.mark.parametrize("limit", [1, 2, 4, 200])
@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("name", "asc", ["Y 2", "y 10", "z", "A.txt", "b9.txt", "b10.txt"]),
        ("name", "desc", ["z", "y 10", "Y 2", "b10.txt", "b9.txt", "A.txt"]),
        ("modified_at", "asc", ["z", "Y 2", "y 10", "b10.txt", "b9.txt", "A.txt"]),
        ("modified_at", "desc", ["y 10", "Y 2", "z", "A.txt", "b9.txt", "b10.txt"]),
        ("size_bytes", "asc", ["z", "Y 2", "y 10", "b9.txt", "A.txt", "b10.txt"]),
        ("size_bytes", "desc", ["y 10", "Y 2", "z", "b10.txt", "A.txt", "b9.txt"]),
    ],
)
def test_folders_come_first_in_every_order_and_page_size(tree, mixed, limit, sort, order, expected):
    assert all_names(tree, mixed, limit=limit, sort=sort, order=order) == expected


def test_an_empty_folder_is_one_empty_page(tree):
    page = files.list_children(actor=tree.actor, node_id=tree.folder("x").id)
    assert (page.items, page.next_cursor) == ([], None)


def test_a_full_page_without_more_has_no_cursor(tree, mixed):
    assert files.list_children(actor=tree.actor, node_id=mixed.id, limit=6).next_cursor is None


def test_items_are_what_a_single_read_gives(tree, mixed):
    for item in files.list_children(actor=tree.actor, node_id=mixed.id).items:
        assert item == tree.get(item)


def test_the_root_is_made_when_it_is_first_asked_for(tenant, make_actor):
    page = files.list_children(actor=make_actor("olga"), node_id="root")
    assert page.items == []


def test_each_node_that_stays_appears_once_while_others_come_and_go(tree):
    chance = random.Random(7)
    folder = tree.folder("folder")
    stable = {tree.folder(f"s{number}", folder).name for number in range(40)}
    passing = [tree.folder(f"p{number}", folder) for number in range(40)]
    seen = []
    for items in pages(tree, folder, limit=7):
        seen += [item.name for item in items]
        for _ in range(3):
            if passing:
                tree.trash(passing.pop(chance.randrange(len(passing))))
            tree.folder(f"n{chance.randrange(10**9)}", folder)
    assert sorted(name for name in seen if name.startswith("s")) == sorted(stable)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("change", [{"sort": "size_bytes"}, {"order": "desc"}, {"folder": True}])
def test_a_cursor_belongs_to_one_folder_sort_and_order(tree, mixed, change):
    cursor = files.list_children(actor=tree.actor, node_id=mixed.id, limit=1).next_cursor
    node_id = tree.root.id if change.pop("folder", False) else mixed.id
    with pytest.raises(BadCursor):
        files.list_children(actor=tree.actor, node_id=node_id, cursor=cursor, **change)


@pytest.mark.parametrize("cursor", ["", "x", "WzAsImEiXQ:1:2", "é", "a" * 10_000, "\0"])
def test_a_made_up_cursor_is_refused(tree, cursor):
    with pytest.raises(BadCursor):
        files.list_children(actor=tree.actor, node_id="root", cursor=cursor)


def test_a_cursor_of_another_tenant_is_refused(tree, mixed, make_actor, beta):
    from bitvault.kernel import tenancy

    cursor = files.list_children(actor=tree.actor, node_id=mixed.id, limit=1).next_cursor
    boris = make_actor("boris")
    token = tenancy._current.set(beta)
    try:
        with pytest.raises(BadCursor):
            files.list_children(actor=boris, node_id="root", cursor=cursor)
    finally:
        tenancy._current.reset(token)


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9])
def test_an_impossible_page_is_refused(tree, limit):
    with pytest.raises(errors.LimitOutOfRange):
        files.list_children(actor=tree.actor, node_id="root", limit=limit)


def test_a_file_has_no_children(tree):
    with pytest.raises(errors.NotAFolder):
        files.list_children(actor=tree.actor, node_id=tree.file("a.txt").id)


def test_what_is_not_there_for_the_caller_is_not_found(tree, make_actor):
    gone = tree.folders("a/b")
    tree.trash(files.find_by_path(actor=tree.actor, path="/a"))
    for node_id in (gone.id, uuid4(), Tree(make_actor("olga")).root.id):
        with pytest.raises(NotFound):
            files.list_children(actor=tree.actor, node_id=node_id)


@pytest.mark.parametrize("count", [10, 200])
@pytest.mark.parametrize("sort", ["name", "modified_at", "size_bytes"])
def test_a_page_takes_at_most_three_statements_whatever_its_size(tree, counted_queries, count, sort):
    folder = tree.folder("folder")
    for number in range(count + 1):
        tree.folder(str(number), folder)
    with counted_queries() as statements:
        page = files.list_children(actor=tree.actor, node_id=folder.id, limit=count, sort=sort, order="desc")
    assert len(page.items) == count
    assert len(statements) <= 3, statements
