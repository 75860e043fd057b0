from uuid import uuid4

import pytest

from apps.files import api as files
from apps.files import errors
from apps.files.sql import walks
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import Tree, events, fetch


def test_root_is_made_once_and_is_the_callers_own(tenant, make_actor):
    mia, olga = make_actor("mia"), make_actor("olga")
    first = files.get_node(actor=mia, node_id="root")
    assert first == files.get_node(actor=mia, node_id="root") == files.ensure_personal_root(actor=mia)
    assert files.get_node(actor=olga, node_id="root").id != first.id
    assert (first.kind, first.parent_id, first.name) == ("folder", None, "My files")
    assert [kind for kind, _ in events()] == ["files.folder.created.v1"] * 2
    assert fetch("SELECT count(*) FROM files_node") == [(2,)]


@pytest.mark.parametrize(
    ("name", "scopes", "capabilities"),
    [
        ("mia", Scope, ("view", "download", "comment", "add", "edit", "share", "manage")),
        ("mia", [Scope.FILES_READ], ("view", "download")),
        ("vera", Scope, ("view", "download")),
    ],
)
def test_capabilities_are_those_of_role_and_credential(tenant, make_actor, name, scopes, capabilities):
    node = files.get_node(actor=make_actor(name, scopes=frozenset(scopes)), node_id="root")
    assert node.capabilities == capabilities


def test_a_token_without_files_reads_nothing(tenant, make_actor):
    stranger = make_actor("mia", scopes=frozenset({Scope.ACCOUNT}))
    for read in (
        lambda: files.get_node(actor=stranger, node_id="root"),
        lambda: files.list_children(actor=stranger, node_id="root"),
        lambda: files.find_by_path(actor=stranger, path="/"),
        lambda: files.list_path(actor=stranger, node_id="root"),
        lambda: files.list_trash(actor=stranger),
        lambda: files.find_readable_blob(actor=stranger, content_hash="0" * 64, size_bytes=1),
    ):
        with pytest.raises(ScopeMissing):
            read()


def test_neither_role_opens_another_persons_files(tree, make_actor):
    file = tree.file("a.txt")
    for name in ("olga", "adam", "vera"):
        for read in (files.get_node, files.get_content, files.list_path):
            with pytest.raises(NotFound):
                read(actor=make_actor(name), node_id=file.id)


def test_all_that_is_not_there_reads_the_same(tree, make_actor):
    trashed = tree.file("a.txt")
    tree.trash(trashed)
    texts = set()
    for node_id in (uuid4(), trashed.id, Tree(make_actor("olga")).root.id):
        with pytest.raises(NotFound) as refused:
            tree.get(node_id)
        texts.add((refused.value.code, refused.value.detail, tuple(refused.value.facts)))
    assert len(texts) == 1


def test_it_takes_at_most_two_statements(tree, counted_queries):
    inner = tree.folders("a/b/c/d/e")
    for node_id in (inner.id, "root"):
        with counted_queries() as statements:
            tree.get(node_id)
        assert len(statements) <= 2, statements


# --- paths -----------------------------------------------------------------------------------------------------------------


def test_a_path_leads_from_the_root_down(tree):
    inner = tree.folders("a/b")
    items = files.list_path(actor=tree.actor, node_id=inner.id).items
    assert [item.name for item in items] == ["My files", "a", "b"]
    assert items == [tree.get(item) for item in items]
    assert [item.id for item in files.list_path(actor=tree.actor, node_id="root").items] == [tree.root.id]


@pytest.mark.parametrize("path", ["/Reports/2026/q3.pdf", "/reports/2026/Q3.PDF"])
def test_a_node_is_found_by_its_path_whatever_the_case(tree, path):
    file = tree.file("q3.pdf", tree.folders("Reports/2026"))
    assert files.find_by_path(actor=tree.actor, path=path) == file


def test_the_path_of_the_root_is_a_slash(tenant, make_actor):
    olga = make_actor("olga")
    assert files.find_by_path(actor=olga, path="/").id == files.ensure_personal_root(actor=olga).id


@pytest.mark.parametrize("path", ["/x", "/a/x", "/a/b/c", "/a.txt/b"])
def test_a_path_to_nothing_is_not_found(tree, path):
    tree.folders("a/b")
    tree.file("a.txt")
    with pytest.raises(NotFound):
        files.find_by_path(actor=tree.actor, path=path)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("", errors.InvalidPath),
        ("a", errors.InvalidPath),
        ("C:\\a", errors.InvalidPath),
        ("//a", errors.InvalidName),
        ("/a/", errors.InvalidName),
        ("/a//b", errors.InvalidName),
        ("/../etc/passwd", errors.InvalidName),
        ("/a/./b", errors.InvalidName),
        ("/a/\0", errors.InvalidName),
        ("/a\r\nb", errors.InvalidName),
        ("/\ud800", errors.InvalidName),
        ("/" + "x" * 256, errors.InvalidName),
        ("/" + "/".join("é" * 100 for _ in range(30)), errors.PathTooLong),
        ("/x" * 129, errors.TooDeep),
    ],
)
def test_what_can_be_no_path_is_refused(tree, path, error):
    with pytest.raises(error):
        files.find_by_path(actor=tree.actor, path=path)


def test_a_path_takes_at_most_two_statements_whatever_its_length(tree, counted_queries):
    tree.folders("/".join("abcdefgh"))
    with counted_queries() as statements:
        files.find_by_path(actor=tree.actor, path="/a/b/c/d/e/f/g/h")
    assert len(statements) <= 2, statements


def test_a_way_up_touches_its_own_rows_alone_however_full_the_tree_is(tree):
    """What the planner believes of a tenant that is new must not cost it as it fills."""
    folder = tree.folders("a/b/c")
    fetch(
        "INSERT INTO files_node SELECT (jsonb_populate_record(node, jsonb_build_object('id', gen_random_uuid(), 'name_key', n))).* "
        "FROM files_node node, generate_series(1, 300) n WHERE node.id = %s RETURNING 1",
        [folder.id],
    )
    parameters = {"ids": [folder.id], "owner_id": None, "user_id": tree.actor.user_id}
    plan = "\n".join(line for (line,) in fetch(f"EXPLAIN ANALYZE {walks.WAY}", parameters))
    assert "Seq Scan on files_node" not in plan, plan
