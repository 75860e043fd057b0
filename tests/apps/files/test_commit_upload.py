from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from apps.files import api as files
from apps.files import errors
from apps.files.dtos.uploads import Committed
from bitvault.kernel import clock
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import Tree, assert_tree_is_sound, events, fetch, hash_of, last_seq

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def versions_of(node):
    return fetch(
        "SELECT id, content_hash, base_version_id FROM files_version WHERE node_id = %s ORDER BY id", [node.id]
    )


# --- add -------------------------------------------------------------------------------------------------------------------


def test_an_upload_becomes_a_file(tree, actor):
    done = tree.commit(tree.grant("a.txt"), b"abc")
    node = done.node
    assert (done.created, done.version_created) == (True, True)
    assert (node.kind, node.name, node.parent_id, node.revision) == ("file", "a.txt", tree.root.id, 1)
    assert (node.size_bytes, node.media_type, node.content_hash) == (3, "text/plain", hash_of(b"abc"))
    assert tree.get(node) == node
    assert_tree_is_sound()


def test_an_empty_file_is_a_file(tree):
    node = tree.file("empty", content=b"")
    assert (node.size_bytes, node.content_hash) == (0, hash_of(b""))


def test_the_event_tells_all_that_is_new(tree):
    before = last_seq()
    upload_id, blob_id = uuid4(), uuid4()
    node = tree.commit(tree.grant("a.txt"), upload_id=upload_id, blob_id=blob_id).node
    assert events(before) == [
        (
            "files.version.committed.v1",
            {
                "node_id": str(node.id),
                "parent_id": str(tree.root.id),
                "name": "a.txt",
                "revision": 1,
                "node_created": True,
                "version_id": str(node.version_id),
                "previous_version_id": None,
                "conflict_with_id": None,
                "upload_id": str(upload_id),
                "blob_id": str(blob_id),
                "size_bytes": 3,
                "content_hash": hash_of(b"abc"),
                "media_type": "text/plain",
                "modified_at": node.modified_at.isoformat().replace("+00:00", "Z"),
                "client_modified_at": None,
                "made_on": "another device",
                "restored_from_id": None,
                "copied_from_id": None,
                "copied_from_node_id": None,
                "actor_kind": "user",
            },
        )
    ]


def test_the_senders_time_is_kept_as_data_and_decides_nothing(tree):
    sent = datetime(1601, 1, 1, tzinfo=UTC)
    with clock.fixed_at(NOON):
        node = tree.commit(tree.grant("a.txt"), client_modified_at=sent).node
    assert (node.modified_at, node.client_modified_at) == (NOON, sent)
    assert tree.get(node).client_modified_at == sent
    assert fetch("SELECT client_modified_at FROM files_version") == [(sent,)]


def test_a_name_that_was_taken_meanwhile_is_refused_or_numbered(tree):
    refused, numbered = tree.grant("a.txt"), tree.grant("a.txt", autorename=True)
    first = tree.file("a.txt")
    with pytest.raises(errors.NameTaken) as error:
        tree.commit(refused, b"other")
    assert error.value.facts == {"node_id": first.id, "kind": "file", "name": "a.txt"}
    assert tree.commit(numbered, b"other").node.name == "a (2).txt"
    assert_tree_is_sound()


@pytest.mark.parametrize("mode", ["add", "overwrite"])
@pytest.mark.parametrize("fate", ["trashed", "purged", "below a trashed one"])
def test_a_parent_that_has_gone_meanwhile_is_a_conflict(tree, mode, fate):
    outer = tree.folder("outer")
    folder = tree.folder("folder", outer)
    grant = tree.grant("a.txt", folder, mode=mode)
    tree.trash(outer if fate == "below a trashed one" else folder)
    if fate == "purged":
        files.purge_node(actor=tree.actor, node_id=folder.id)
    with pytest.raises(errors.ParentGone) as refused:
        tree.commit(grant)
    assert refused.value.facts == {"parent_id": folder.id}


def test_a_parent_that_moved_takes_the_file_with_it(tree):
    folder, target = tree.folder("folder"), tree.folder("target")
    grant = tree.grant("a.txt", folder)
    tree.update(folder, parent_id=target.id, name="renamed")
    assert tree.commit(grant).node.parent_id == folder.id


def test_limits_that_are_reached_meanwhile_hold(tree, monkeypatch):
    grant = tree.grant("a.txt")
    tree.folder("x")
    monkeypatch.setattr("apps.files.limits.CHILDREN_LIMIT", 1)
    with pytest.raises(errors.TooManyChildren):
        tree.commit(grant)


# --- overwrite -------------------------------------------------------------------------------------------------------------


def test_overwriting_makes_another_version_of_the_file(tree):
    file = tree.file("a.txt")
    before = last_seq()
    done = tree.commit(tree.grant("A.txt", mode="overwrite"), b"new")
    assert (done.created, done.version_created, done.node.id, done.node.revision) == (True, True, file.id, 2)
    assert (done.node.name, done.node.content_hash) == ("a.txt", hash_of(b"new"))
    assert [row[2] for row in versions_of(file)] == [None, file.version_id]
    ((_, told),) = events(before)
    assert (told["node_created"], told["previous_version_id"]) == (False, str(file.version_id))
    assert_tree_is_sound()


def test_overwriting_a_free_name_makes_a_file(tree):
    done = tree.commit(tree.grant("a.txt", mode="overwrite"))
    assert (done.created, done.node.revision) == (True, 1)


def test_overwriting_takes_whatever_file_came_meanwhile(tree):
    grant = tree.grant("a.txt", mode="overwrite")
    file = tree.file("a.txt")
    done = tree.commit(grant, b"new")
    assert (done.node.id, done.node.revision) == (file.id, 2)


@pytest.mark.parametrize("fate", ["renamed", "moved", "trashed"])
def test_overwriting_means_the_path_and_not_the_node(tree, fate):
    file, folder = tree.file("a.txt"), tree.folder("folder")
    grant = tree.grant("a.txt", mode="overwrite")
    if fate == "renamed":
        tree.update(file, name="b.txt")
    elif fate == "moved":
        tree.update(file, parent_id=folder.id)
    else:
        tree.trash(file)
    done = tree.commit(grant, b"new")
    assert done.node.id != file.id
    assert (done.node.name, done.node.revision) == ("a.txt", 1)
    assert len(versions_of(file)) == 1
    assert_tree_is_sound()


def test_a_folder_is_never_overwritten(tree):
    refused, numbered = tree.grant("x", mode="overwrite"), tree.grant("x", mode="overwrite", autorename=True)
    tree.folder("x")
    with pytest.raises(errors.NameTaken):
        tree.commit(refused)
    assert tree.commit(numbered).node.name == "x (2)"


# --- update ----------------------------------------------------------------------------------------------------------------


def test_an_update_from_the_current_version_makes_the_next_one(tree):
    file = tree.file("a.txt")
    done = tree.write(file, b"new")
    assert (done.created, done.node.id, done.node.revision, done.node.name) == (True, file.id, 2, "a.txt")
    assert done.node.version_id != file.version_id


def test_an_update_from_an_older_version_is_kept_beside_and_never_on_top(tree):
    file = tree.file("report.final.txt")
    grants = [tree.grant(file.name, mode="update", node_id=file.id, base_version_id=file.version_id) for _ in range(3)]
    before = last_seq()
    with clock.fixed_at(NOON):
        winner, loser, other = (
            tree.commit(grant, content) for grant, content in zip(grants, (b"1", b"2", b"3"), strict=True)
        )
    assert winner.node.id == file.id
    assert loser.node.name == "report.final (conflicted copy, another device, 2026-11-23).txt"
    assert other.node.name == "report.final (conflicted copy, another device, 2026-11-23) (2).txt"
    assert (loser.created, loser.node.content_hash, loser.node.parent_id) == (True, hash_of(b"2"), file.parent_id)
    assert tree.get(file).content_hash == hash_of(b"1")
    assert [told["conflict_with_id"] for _, told in events(before)] == [None, str(file.id), str(file.id)]
    assert_tree_is_sound()


def test_equal_content_on_both_sides_is_no_conflict(tree):
    file = tree.file("a.txt")
    grant = tree.grant(file.name, mode="update", node_id=file.id, base_version_id=file.version_id)
    current = tree.write(file, b"same").node
    before = last_seq()
    done = tree.commit(grant, b"same")
    assert done == Committed(node=current, created=False, version_created=False)
    assert last_seq() == before
    assert tree.names() == ["a.txt"]


def test_an_update_follows_a_file_that_moved(tree):
    file, folder = tree.file("a.txt"), tree.folder("folder")
    grant = tree.grant(file.name, mode="update", node_id=file.id, base_version_id=file.version_id)
    tree.update(file, name="b.txt", parent_id=folder.id)
    done = tree.commit(grant, b"new")
    assert (done.node.id, done.node.name, done.node.parent_id) == (file.id, "b.txt", folder.id)


# --- the same again --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["overwrite", "update"])
def test_content_that_the_file_has_already_makes_no_version(tree, mode):
    file = tree.file("a.txt", content=b"same")
    base = {"base_version_id": file.version_id} if mode == "update" else {}
    before, upload_id = last_seq(), uuid4()
    for _ in range(2):
        done = tree.commit(tree.grant("a.txt", mode=mode, **base), b"same", upload_id=upload_id)
        assert done == Committed(node=file, created=False, version_created=False)
    assert (last_seq(), len(versions_of(file))) == (before, 1)
    assert files.find_committed(actor=tree.actor, upload_id=upload_id) == file
    assert not files.is_committed(upload_id=upload_id)


@pytest.mark.parametrize("mode", ["add", "autorename", "overwrite", "update", "stale"])
def test_a_commit_can_be_repeated_and_has_its_effect_once(tree, mode):
    if mode in ("update", "stale"):
        file = tree.file("a.txt")
        grant = tree.grant("a.txt", mode="update", base_version_id=file.version_id)
        if mode == "stale":
            tree.write(file, b"winner")
    else:
        if mode == "autorename":
            tree.file("a.txt")
        grant = tree.grant("a.txt", mode="overwrite" if mode == "overwrite" else "add", autorename=mode == "autorename")
    upload_id = uuid4()
    first = tree.commit(grant, b"new", upload_id=upload_id)
    before, names = last_seq(), tree.names()
    for _ in range(2):
        again = tree.commit(grant, b"new", upload_id=upload_id)
        assert again == Committed(node=first.node, created=False, version_created=True)
    assert (last_seq(), tree.names()) == (before, names)
    assert files.find_committed(actor=tree.actor, upload_id=upload_id) == first.node
    assert files.is_committed(upload_id=upload_id)


def test_a_repeated_commit_tells_the_node_as_it_is_now(tree):
    upload_id, grant = uuid4(), tree.grant("a.txt")
    node = tree.commit(grant, upload_id=upload_id).node
    renamed = tree.update(node, name="b.txt")
    assert tree.commit(grant, upload_id=upload_id).node == renamed
    tree.trash(renamed)
    with pytest.raises(errors.NodeGone):
        tree.commit(grant, upload_id=upload_id)
    assert files.find_committed(actor=tree.actor, upload_id=upload_id) is None
    assert files.is_committed(upload_id=upload_id)


def test_what_was_never_committed_is_not(tree):
    assert files.find_committed(actor=tree.actor, upload_id=uuid4()) is None
    assert not files.is_committed(upload_id=uuid4())


def test_another_persons_upload_is_not_found(tree, make_actor):
    upload_id, grant = uuid4(), tree.grant("a.txt")
    tree.commit(grant, upload_id=upload_id)
    olga = make_actor("olga")
    with pytest.raises(NotFound):
        tree.commit(grant, upload_id=upload_id, actor=olga)
    assert files.find_committed(actor=olga, upload_id=upload_id) is None


def test_rights_are_judged_again(tree, make_actor):
    grant = tree.grant("a.txt")
    with pytest.raises(NotFound):
        tree.commit(grant, actor=make_actor("olga"))
    with pytest.raises(ScopeMissing):
        tree.commit(grant, actor=make_actor("mia", scopes=frozenset({Scope.FILES_READ})))
    vera = Tree(make_actor("vera"))
    with pytest.raises(Forbidden):
        tree.commit(type(grant)(**{**_facts(grant), "parent_id": vera.root.id}), actor=vera.actor)


def _facts(grant):
    return {name: getattr(grant, name) for name in type(grant).__dataclass_fields__}


def test_it_takes_at_most_six_statements(tree, counted_queries):
    file, grant = tree.file("a.txt"), tree.grant("new.txt")
    with counted_queries() as statements:
        tree.commit(grant)
    assert len(statements) <= 5, statements
    grant = tree.grant("a.txt", mode="update", base_version_id=file.version_id)
    with counted_queries() as statements:
        tree.commit(grant, b"new")
    assert len(statements) <= 6, statements


# --- content out -----------------------------------------------------------------------------------------------------------


def test_content_is_that_of_the_version_asked_for(tree):
    file = tree.file("a.txt", content=b"one")
    latest = tree.write(file, b"three").node
    current = files.get_content(actor=tree.actor, node_id=file.id)
    assert (current.version_id, current.size_bytes, current.content_hash) == (latest.version_id, 5, hash_of(b"three"))
    assert (current.name, current.media_type) == ("a.txt", "text/plain")
    first = files.get_content(actor=tree.actor, node_id=file.id, version_id=file.version_id)
    assert (first.version_id, first.size_bytes) == (file.version_id, 3)
    assert first.blob_id != current.blob_id


def test_a_version_of_another_node_is_not_found_under_this_one(tree):
    file, other = tree.file("a.txt"), tree.file("b.txt")
    for version_id in (other.version_id, uuid4()):
        with pytest.raises(NotFound):
            files.get_content(actor=tree.actor, node_id=file.id, version_id=version_id)


def test_a_folder_has_no_content(tree):
    with pytest.raises(errors.NotAFile):
        files.get_content(actor=tree.actor, node_id=tree.folder("x").id)


def test_known_bytes_are_found_only_where_the_caller_can_read_them(tree, make_actor):
    blob_id, olga = uuid4(), make_actor("olga")
    file = tree.commit(tree.grant("a.txt"), b"bytes", blob_id=blob_id).node
    question = {"content_hash": hash_of(b"bytes"), "size_bytes": 5}
    found = files.find_readable_blob(actor=tree.actor, **question)
    assert found == blob_id
    assert isinstance(found, UUID)
    assert files.find_readable_blob(actor=olga, **question) is None
    assert files.find_readable_blob(actor=tree.actor, content_hash=hash_of(b"bytes"), size_bytes=6) is None
    tree.write(file, b"other")
    assert files.find_readable_blob(actor=tree.actor, **question) == blob_id  # an older version that can be read
    tree.trash(file)
    assert files.find_readable_blob(actor=tree.actor, **question) is None
