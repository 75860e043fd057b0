from uuid import uuid4

import pytest

from apps.files import api as files
from apps.files import errors, models
from apps.files.rows import fetch_page
from apps.files.sql.names import FREE_NUMBER
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.capabilities import EVERYTHING, names_of
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.kernel.names import list_variant_keys, numbered, parse
from tests.apps.files.conftest import Tree, analyze, assert_tree_is_sound, events, last_seq


def test_a_folder_stands_where_it_was_made(tree, actor):
    folder = tree.folder("Reports")
    assert (folder.kind, folder.name, folder.parent_id, folder.revision) == ("folder", "Reports", tree.root.id, 1)
    assert (folder.size_bytes, folder.media_type, folder.content_hash, folder.version_id) == (None, None, None, None)
    assert folder.created_by == actor.user_id
    assert folder.capabilities == names_of(EVERYTHING)
    assert files.get_node(actor=actor, node_id=folder.id) == folder
    assert_tree_is_sound()


def test_the_event_tells_all_that_is_new(tree, actor):
    before = last_seq()
    folder = tree.folder("Reports")
    assert events(before) == [
        (
            "files.folder.created.v1",
            {
                "node_id": str(folder.id),
                "parent_id": str(tree.root.id),
                "name": "Reports",
                "revision": 1,
                "created_at": folder.created_at.isoformat().replace("+00:00", "Z"),
                "actor_kind": "user",
                "copied_from_node_id": None,
            },
        )
    ]


@pytest.mark.parametrize("other", ["reports", "REPORTS", "Reports"])
def test_a_taken_name_is_refused_with_the_node_that_has_it(tree, other):
    folder = tree.folder("Reports")
    before = last_seq()
    with pytest.raises(errors.NameTaken) as refused:
        tree.folder(other)
    assert refused.value.facts == {"node_id": folder.id, "kind": "folder", "name": "Reports"}
    assert last_seq() == before
    assert tree.names() == ["Reports"]
    assert_tree_is_sound()


def test_two_spellings_of_one_name_are_one_name(tree):
    tree.folder("Caf\u00e9")
    with pytest.raises(errors.NameTaken):
        tree.folder("Cafe\u0301")


def test_autorename_takes_the_first_free_number(tree):
    names = [tree.folder("Draft", autorename=True).name for _ in range(4)]
    assert names == ["Draft", "Draft (2)", "Draft (3)", "Draft (4)"]
    tree.trash(files.find_by_path(actor=tree.actor, path="/Draft (3)"))
    assert tree.folder("Draft", autorename=True).name == "Draft (3)"


def test_a_folder_is_numbered_behind_its_whole_name(tree):
    names = [tree.folder("Release v1.0", autorename=True).name for _ in range(3)]
    assert names == ["Release v1.0", "Release v1.0 (2)", "Release v1.0 (3)"]


def put_files(tree, texts):
    """Put files into the root behind the doors' back, as many as there are names."""
    rows = []
    for text in texts:
        name, node_id = parse(text), ids.new_id()
        rows.append(
            models.Node(
                id=node_id,
                kind=models.Kind.FOLDER,
                parent_id=tree.root.id,
                name=name.text,
                name_key=name.key,
                sort_key="",
                created_at=clock.now(),
                modified_at=clock.now(),
                created_by=tree.actor.user_id,
            )
        )
    with db.write_transaction():
        models.Node.objects.bulk_create(rows)


@pytest.mark.parametrize(
    ("name", "count"), [("image.png", 10_000), ("Release v1.0", 500), ("a.tar.gz", 500), ("\u00e9" * 125 + ".png", 500)]
)
def test_a_free_name_costs_one_query_however_many_are_taken(tree, counted_queries, name, count):
    wanted = parse(name)
    put_files(tree, [name, *(numbered(wanted, number).text for number in range(2, count + 1))])
    with counted_queries() as statements:
        made = tree.file(name, autorename=True)
    assert made.name == numbered(wanted, count + 1).text
    assert len(statements) <= 11, statements
    lookups = [sql for sql in statements if "generate_series" in sql]
    assert len(lookups) == 1


def test_a_free_number_is_found_between_what_people_have_numbered_themselves(tree):
    taken = [1 << power for power in range(1, 40)] + list(range(3, 60))
    put_files(
        tree, ["a.txt", *(f"a ({number}).txt" for number in {*taken, *(17 * (1 << power) for power in range(30))})]
    )
    made = [tree.file("a.txt", autorename=True, content=b"%d" % number).name for number in range(5)]
    assert len(set(made)) == 5


def test_a_search_for_a_free_name_reads_no_more_of_a_folder_than_it_looks_up(tree):
    put_files(tree, ["image.png", *(f"image ({number}).png" for number in range(2, 3_001))])
    analyze("files_node")
    prefixes, suffix = list_variant_keys(parse("image.png"), is_folder=False)
    values = {"parent_id": tree.root.id, "prefixes": prefixes, "suffix": suffix}
    with db.read_transaction():
        ((plan,),) = fetch_page(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {FREE_NUMBER}", values)
    assert plan[0]["Plan"]["Shared Hit Blocks"] < 400


def test_autorename_goes_on_past_one_step_of_candidates(tree):
    for _ in range(70):
        tree.folder("x", autorename=True)
    assert tree.folder("x", autorename=True).name == "x (71)"
    assert_tree_is_sound()


def test_a_name_is_kept_in_nfc(tree):
    assert tree.folder("Cafe\u0301").name == "Caf\u00e9"


@pytest.mark.parametrize("name", ["", "  ", ".", "..", "a/b", "a\0b", "a\nb", "\ud800", "x" * 256, "é" * 128])
def test_what_is_no_name_is_refused(tree, name):
    with pytest.raises(errors.InvalidName):
        tree.folder(name)


def test_a_file_holds_no_folder(tree):
    file = tree.file("a.txt")
    with pytest.raises(errors.NotAFolder):
        tree.folder("x", file)


def test_depth_is_limited(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.DEPTH_LIMIT", 3)
    inner = tree.folders("1/2/3")
    with pytest.raises(errors.TooDeep) as refused:
        tree.folder("4", inner)
    assert refused.value.facts == {"limit": 3, "depth": 4}


def test_the_full_depth_of_128_can_be_used(tree):
    inner = tree.folders("/".join("d" * 1 for _ in range(128)))
    with pytest.raises(errors.TooDeep):
        tree.folder("d", inner)
    assert len(files.list_path(actor=tree.actor, node_id=inner.id).items) == 129
    assert_tree_is_sound()


def test_the_length_of_a_path_is_limited_in_bytes(tree):
    inner = tree.root
    for _ in range(15):
        inner = tree.folder("é" * 127, inner)  # 255 bytes each with its slash
    inner = tree.folder("y" * 200, inner)
    tree.folder("z" * 69, inner)  # 15 * 255 + 201 + 70 = 4096
    with pytest.raises(errors.PathTooLong) as refused:
        tree.folder("z" * 70, inner)
    assert refused.value.facts == {"limit_bytes": 4096, "size_bytes": 4097}


def test_children_are_limited(tree, monkeypatch):
    monkeypatch.setattr("apps.files.limits.CHILDREN_LIMIT", 2)
    tree.folder("1")
    second = tree.folder("2")
    with pytest.raises(errors.TooManyChildren):
        tree.folder("3")
    tree.trash(second)
    tree.folder("3")


def test_a_viewer_may_not(tree, make_actor):
    vera = Tree(make_actor("vera"))
    with pytest.raises(Forbidden) as refused:
        vera.folder("x")
    assert refused.value.facts == {"capability": "add"}


def test_a_reading_token_may_not(tree, make_actor):
    reader = make_actor("mia", scopes=frozenset({Scope.FILES_READ}))
    with pytest.raises(ScopeMissing):
        files.create_folder(actor=reader, parent_id=tree.root.id, name="x")


def test_another_persons_folder_is_not_found(tree, make_actor):
    folder = tree.folder("Secret")
    for stranger in ("olga", "adam", "vera"):
        with pytest.raises(NotFound):
            files.create_folder(actor=make_actor(stranger), parent_id=folder.id, name="x")


def test_a_folder_that_never_was_or_is_in_the_trash_is_not_found(tree):
    outer = tree.folders("a/b")
    tree.trash(files.find_by_path(actor=tree.actor, path="/a"))
    for parent_id in (uuid4(), outer.id, outer.parent_id):
        with pytest.raises(NotFound):
            tree.folder("x", parent_id)


def test_it_takes_at_most_four_statements(tree, counted_queries):
    parent = tree.folders("a/b/c")
    tree.folder("warm", parent)
    with counted_queries() as statements:
        tree.folder("x", parent)
    assert len(statements) <= 4, statements
