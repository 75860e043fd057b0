from uuid import uuid4

import pytest

from apps.files import errors
from apps.files.dtos.uploads import UploadGrant
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import Tree, events, fetch


def blob_of(node):
    return fetch("SELECT blob_id FROM files_version WHERE id = %s", [node.version_id])[0][0]


def test_a_free_name_is_granted(tree):
    assert tree.grant("a.txt") == UploadGrant(
        parent_id=tree.root.id,
        name="a.txt",
        mode="add",
        node_id=None,
        base_version_id=None,
        autorename=False,
        base_blob_id=None,
        root_id=tree.root.id,
    )


def test_the_name_of_a_grant_is_in_nfc(tree):
    assert tree.grant("Cafe\u0301").name == "Caf\u00e9"


@pytest.mark.parametrize("mode", ["add", "overwrite"])
def test_a_folder_of_that_name_is_always_in_the_way(tree, mode):
    folder = tree.folder("Taken")
    with pytest.raises(errors.NameTaken) as refused:
        tree.grant("taken", mode=mode)
    assert refused.value.facts == {"node_id": folder.id, "kind": "folder", "name": "Taken"}
    assert tree.grant("taken", mode=mode, autorename=True).node_id is None


def test_a_file_of_that_name_is_in_the_way_of_another_one(tree):
    file = tree.file("a.txt")
    with pytest.raises(errors.NameTaken) as refused:
        tree.grant("A.TXT")
    assert refused.value.facts == {"node_id": file.id, "kind": "file", "name": "a.txt"}
    assert tree.grant("A.TXT", autorename=True).node_id is None


def test_overwriting_names_the_file_and_the_bytes_to_build_upon(tree):
    file = tree.file("a.txt")
    grant = tree.grant("A.txt", mode="overwrite")
    assert (grant.node_id, grant.base_version_id, grant.base_blob_id) == (file.id, file.version_id, blob_of(file))


@pytest.mark.parametrize("by_id", [True, False])
def test_an_update_starts_from_any_version_of_its_file(tree, by_id):
    first = tree.file("a.txt")
    second = tree.write(first, b"second").node
    target = {"node_id": first.id} if by_id else {}
    for version in (first, second):
        grant = tree.grant("a.txt", mode="update", base_version_id=version.version_id, **target)
        assert (grant.node_id, grant.base_version_id, grant.base_blob_id) == (
            first.id,
            version.version_id,
            blob_of(version),
        )


def test_an_update_by_id_follows_the_node(tree):
    file, folder = tree.file("a.txt"), tree.folder("folder")
    tree.update(file, name="b.txt", parent_id=folder.id)
    grant = tree.grant("a.txt", mode="update", node_id=file.id, base_version_id=file.version_id)
    assert (grant.parent_id, grant.name) == (folder.id, "b.txt")


def test_an_update_says_what_it_starts_from(tree):
    file = tree.file("a.txt")
    for target in ({}, {"node_id": file.id}):
        with pytest.raises(errors.BaseVersionRequired):
            tree.grant("a.txt", mode="update", **target)


def test_a_version_of_another_node_is_not_found(tree):
    file, other = tree.file("a.txt"), tree.file("b.txt")
    for base_version_id in (other.version_id, uuid4()):
        for target in ({}, {"node_id": file.id}):
            with pytest.raises(NotFound):
                tree.grant("a.txt", mode="update", base_version_id=base_version_id, **target)


def test_there_is_nothing_to_update_under_a_free_name(tree):
    file = tree.file("a.txt")
    with pytest.raises(NotFound):
        tree.grant("b.txt", mode="update", base_version_id=file.version_id)


def test_a_folder_takes_no_content(tree):
    folder = tree.folder("x")
    for node_id in (folder.id, tree.root.id):
        with pytest.raises(errors.NotAFile):
            tree.grant("x", mode="overwrite", node_id=node_id)


@pytest.mark.parametrize(
    ("mode", "field"), [("add", "node_id"), ("add", "base_version_id"), ("overwrite", "base_version_id")]
)
def test_fields_that_the_mode_does_not_take_are_refused(tree, mode, field):
    file = tree.file("a.txt")
    with pytest.raises(errors.UploadTargetUnfit):
        tree.grant("b.txt", mode=mode, **{field: file.id if field == "node_id" else file.version_id})


def test_a_file_larger_than_any_store_holds_is_refused(tree):
    tree.grant("a.txt", size_bytes=5 * 1024**4)
    with pytest.raises(errors.FileTooLarge):
        tree.grant("a.txt", size_bytes=5 * 1024**4 + 1)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\r\nb", "x" * 256])
def test_what_is_no_name_is_refused(tree, name):
    with pytest.raises(errors.InvalidName):
        tree.grant(name)


def test_the_limits_of_the_place_hold(tree, monkeypatch):
    inner = tree.folders("a/b")
    monkeypatch.setattr("apps.files.limits.DEPTH_LIMIT", 2)
    with pytest.raises(errors.TooDeep):
        tree.grant("c.txt", inner)
    monkeypatch.setattr("apps.files.limits.CHILDREN_LIMIT", 1)
    with pytest.raises(errors.TooManyChildren):
        tree.grant("b.txt")


def test_a_parent_that_is_a_file_is_refused(tree):
    with pytest.raises(errors.NotAFolder):
        tree.grant("b.txt", tree.file("a.txt"))


def test_what_is_not_there_for_the_caller_is_not_found(tree, make_actor):
    file = tree.file("a.txt")
    gone = tree.folder("gone")
    tree.trash(gone)
    olga = Tree(make_actor("olga"))
    for parent in (gone.id, uuid4(), olga.root.id):
        with pytest.raises(NotFound):
            tree.grant("b.txt", parent)
    with pytest.raises(NotFound):
        olga.grant("a.txt", mode="update", node_id=file.id, base_version_id=file.version_id)


def test_viewers_and_reading_tokens_may_not(tree, make_actor):
    vera = Tree(make_actor("vera"))
    with pytest.raises(Forbidden):
        vera.grant("a.txt")
    with pytest.raises(ScopeMissing):
        Tree(make_actor("mia", scopes=frozenset({Scope.FILES_READ}))).grant("a.txt")


def test_it_writes_nothing_and_takes_at_most_three_statements(tree, counted_queries):
    file = tree.file("a.txt")
    seen = events()
    for change in ({"name": "b.txt"}, {"name": "a.txt", "mode": "overwrite"}):
        with counted_queries() as statements:
            tree.grant(**change)
        assert len(statements) <= 3, statements
    with counted_queries() as statements:
        tree.grant("a.txt", mode="update", node_id=file.id, base_version_id=file.version_id)
    assert len(statements) <= 3, statements
    assert events() == seen
