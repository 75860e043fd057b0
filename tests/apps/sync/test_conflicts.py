"""SYNC-7: two devices do something to the same thing without knowing of each other. Each pair has its documented outcome, and nothing is lost."""

import re
import unicodedata

import pytest

from apps.files import api as files
from apps.sync import api as sync
from tests.apps.files.conftest import assert_tree_is_sound, fetch, hash_of
from tests.apps.sync.acting import Worker
from tests.apps.sync.following import assert_replica_is_the_tree, fresh_tree, project

DAY = re.compile(r", \d{4}-\d\d-\d\d(?=\))")
CONTENTS = {hash_of(content): content.decode() for content in (b"base", b"other", b"first", b"second")}


def paths(actor):
    """Everything that is live: folders with a slash, files with what they contain."""
    tree = fresh_tree(actor)

    def path(node_id):
        node = tree[node_id]
        return "" if node["parent_id"] is None else f"{path(node['parent_id'])}/{node['name']}"

    return sorted(
        f"{path(one)[1:]}/"
        if node["kind"] == "folder"
        else f"{DAY.sub('', path(one)[1:])}={CONTENTS[node['content_hash']]}"
        for one, node in tree.items()
        if node["parent_id"] is not None
    )


def kept_hashes():
    """Hashes of every content that a version has, of live files and of those in the trash."""
    return {content_hash for (content_hash,) in fetch("SELECT DISTINCT content_hash FROM files_version")}


@pytest.fixture
def world(tree, actor):
    """A folder with two files, another folder, and two devices that know them."""
    docs = tree.folder("docs")
    tree.folder("archive")
    tree.file("plan.txt", docs, b"base")
    tree.file("other.txt", docs, b"other")
    devices = Worker(actor, "laptop"), Worker(actor, "phone")
    for device in devices:
        device.catch_up()
    return devices


def begin(device, kind, what, content, place):
    target = "docs/plan.txt" if kind == "file" else "docs"
    match what:
        case "edit":
            return device.edit("docs/plan.txt", content)
        case "delete":
            return device.delete(target)
        case "move":
            return device.move(target, **place)
        case "replace":
            return device.replace(target, content)


def meet(devices, kind, first, second, *, offline):
    """Let one device do something, then the other one; offline, it begins only after the first one has ended."""
    one, other = devices
    act = begin(one, kind, first, b"first", {"into": "archive"})
    if offline:
        act()
        act = begin(other, kind, second, b"second", {"name": "renamed"})
        act()
    else:
        react = begin(other, kind, second, b"second", {"name": "renamed"})
        act()
        react()


# What is live in the end, "archive/" and, for a file, "docs/" and "docs/other.txt" left out. The first one's content is "first" and it moves
# into the archive; the second one's is "second" and it renames. A copy's day is left out.
FILE = {
    ("edit", "edit"): ["docs/plan (conflicted copy, phone).txt=second", "docs/plan.txt=first"],
    ("edit", "delete"): ["docs/plan.txt=first"],
    ("edit", "move"): ["docs/renamed=first"],
    ("edit", "replace"): ["docs/plan.txt (2)/", "docs/plan.txt (2)/inside.txt=second", "docs/plan.txt=first"],
    ("delete", "edit"): ["docs/plan.txt=second"],
    ("delete", "delete"): [],
    ("delete", "move"): [],
    ("delete", "replace"): ["docs/plan.txt/", "docs/plan.txt/inside.txt=second"],
    ("move", "edit"): ["archive/plan.txt=second"],
    ("move", "delete"): ["archive/plan.txt=base"],
    ("move", "move"): ["archive/plan.txt=base"],
    ("move", "replace"): ["archive/plan.txt=base", "docs/plan.txt/", "docs/plan.txt/inside.txt=second"],
    ("replace", "edit"): ["docs/plan (2).txt=second", "docs/plan.txt/", "docs/plan.txt/inside.txt=first"],
    ("replace", "delete"): ["docs/plan.txt/", "docs/plan.txt/inside.txt=first"],
    ("replace", "move"): ["docs/plan.txt/", "docs/plan.txt/inside.txt=first"],
    ("replace", "replace"): ["docs/plan.txt/", "docs/plan.txt/inside (2).txt=second", "docs/plan.txt/inside.txt=first"],
}
# A folder is edited by an edit of a file in it.
FOLDER = {
    ("edit", "edit"): [
        "docs/",
        "docs/other.txt=other",
        "docs/plan (conflicted copy, phone).txt=second",
        "docs/plan.txt=first",
    ],
    ("edit", "delete"): ["docs/", "docs/plan.txt=first"],
    ("edit", "move"): ["renamed/", "renamed/other.txt=other", "renamed/plan.txt=first"],
    ("edit", "replace"): ["docs (2)=second", "docs/", "docs/plan.txt=first"],
    ("delete", "edit"): ["plan.txt=second"],
    ("delete", "delete"): [],
    ("delete", "move"): [],
    ("delete", "replace"): ["docs=second"],
    ("move", "edit"): ["archive/docs/", "archive/docs/other.txt=other", "archive/docs/plan.txt=second"],
    ("move", "delete"): ["archive/docs/", "archive/docs/other.txt=other", "archive/docs/plan.txt=base"],
    ("move", "move"): ["archive/docs/", "archive/docs/other.txt=other", "archive/docs/plan.txt=base"],
    ("move", "replace"): ["archive/docs/", "archive/docs/other.txt=other", "archive/docs/plan.txt=base", "docs=second"],
    ("replace", "edit"): ["docs=first", "plan.txt=second"],
    ("replace", "delete"): ["docs=first"],
    ("replace", "move"): ["docs=first"],
    ("replace", "replace"): ["docs (2)=second", "docs=first"],
}
OUTCOMES = {
    **{("file", *pair): ["archive/", "docs/", "docs/other.txt=other", *live] for pair, live in FILE.items()},
    **{("folder", *pair): ["archive/", *live] for pair, live in FOLDER.items()},
}
WHAT = ["edit", "delete", "move", "replace"]


@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
@pytest.mark.parametrize("second", WHAT)
@pytest.mark.parametrize("first", WHAT)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_each_pair_has_its_outcome_and_nothing_is_lost(world, actor, kind, first, second, offline):
    meet(world, kind, first, second, offline=offline)
    assert paths(actor) == sorted(OUTCOMES[kind, first, second])
    assert_all_agree_and_nothing_is_lost(world, actor)
    writers = [device for device, what in zip(world, (first, second), strict=True) if what in ("edit", "replace")]
    assert all(device.sent for device in writers), "a device has brought what it had"
    conflicts = sync.list_conflicts(actor=actor).items
    assert len(conflicts) == ((first, second) == ("edit", "edit"))


def assert_all_agree_and_nothing_is_lost(devices, actor):
    """The devices have the server's tree (S1), all that was acknowledged is kept (S2), and a further round changes nothing (S6)."""
    project()
    truth = fresh_tree(actor)
    for device in devices:
        device.follow()
        assert device.nodes == truth
    assert_replica_is_the_tree()
    assert_tree_is_sound()
    sent = set().union(*(device.sent for device in devices))
    assert {hash_of(b"base"), hash_of(b"other"), *sent} <= kept_hashes()


def test_the_table_holds_every_pair():
    assert set(OUTCOMES) == {(kind, first, second) for kind in ("file", "folder") for first in WHAT for second in WHAT}


# --- names -----------------------------------------------------------------------------------------------------------------


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("first", "second", "live"),
    [
        (("file", "notes"), ("folder", "notes"), ["notes (2)/", "notes=first"]),
        (("folder", "notes"), ("file", "notes"), ["notes (2)=second", "notes/"]),
        (("file", "Notes.txt"), ("file", "NOTES.txt"), ["NOTES (2).txt=second", "Notes.txt=first"]),
        (("folder", "Notes"), ("folder", "NOTES"), ["NOTES (2)/", "Notes/"]),
        (("file", COMPOSED), ("file", DECOMPOSED), [f"{COMPOSED} (2)=second", f"{COMPOSED}=first"]),
        (("file", COMPOSED), ("folder", DECOMPOSED), [f"{COMPOSED} (2)/", f"{COMPOSED}=first"]),
        (("folder", COMPOSED), ("folder", DECOMPOSED), [f"{COMPOSED}/"]),
        (("folder", "notes"), ("folder", "notes"), ["notes/"]),
        (("file", "notes"), ("file", "notes"), ["notes (2)=second", "notes=first"]),
    ],
    ids=[
        "file, folder",
        "folder, file",
        "case of files",
        "case of folders",
        "spelling of files",
        "spelling of file and folder",
        "spelling of folders",
        "same folder",
        "same name",
    ],
)
def test_names_that_clash_are_told_apart(tree, actor, first, second, live):
    devices = Worker(actor, "laptop"), Worker(actor, "phone")
    for device in devices:
        device.catch_up()
    for device, (kind, name), content in zip(devices, (first, second), (b"first", b"second"), strict=True):
        if kind == "folder":
            device.make_folder(tree.root.id, name)
        else:
            device.add(tree.root.id, name, content)()
    assert paths(actor) == sorted(live)
    project()
    for device in devices:
        device.follow()
        assert device.nodes == fresh_tree(actor)


def test_the_same_new_file_of_two_devices_is_one(tree, actor):
    for name in ("laptop", "phone"):
        Worker(actor, name).add(tree.root.id, "notes.txt", b"first")()
    assert paths(actor) == ["notes.txt=first"]


def test_a_rename_and_a_new_file_of_one_name_are_told_apart(world, actor, tree):
    one, other = world
    rename = other.move("docs/plan.txt", name="new.txt")
    one.add(one.knows("docs"), "new.txt", b"first")()
    rename()
    assert paths(actor)[2:] == ["docs/new (2).txt=base", "docs/new.txt=first", "docs/other.txt=other"]
    assert_all_agree_and_nothing_is_lost(world, actor)


@pytest.mark.parametrize("begun", ["before", "after"])
def test_of_moves_that_would_close_a_circle_the_later_one_is_refused(world, actor, begun):
    one, other = world
    react = other.move("archive", into="docs") if begun == "before" else None
    one.move("docs", into="archive")()
    (react or other.move("archive", into="docs"))()
    assert paths(actor)[:2] == ["archive/", "archive/docs/"]
    assert_all_agree_and_nothing_is_lost(world, actor)


# --- many devices ----------------------------------------------------------------------------------------------------------


def test_five_devices_that_report_one_edit_make_one_copy_and_one_conflict(tree, actor):
    tree.file("plan.txt", tree.folder("docs"), b"base")
    devices = [Worker(actor, f"device {number}") for number in range(6)]
    for device in devices:
        device.catch_up()
    acts = [device.edit("docs/plan.txt", b"second") for device in devices[1:]]
    devices[0].edit("docs/plan.txt", b"first")()
    for act in acts:
        act()
    project()
    (conflict,) = sync.list_conflicts(actor=actor).items
    assert "(conflicted copy, device 1, " in conflict.node.name
    assert len(paths(actor)) == 3
    # Settled, and reported once more by a device that was away.
    sync.resolve_conflict(actor=actor, conflict_id=conflict.id, keep="original")
    late = devices[0]
    grant = tree.grant(
        "plan.txt",
        mode="update",
        node_id=conflict.original.id,
        base_version_id=devices[1].nodes[conflict.original.id]["version_id"],
    )
    late._commit(grant, b"second")
    assert paths(actor) == ["docs/", "docs/plan.txt=first"]


def test_a_file_deleted_for_ever_under_an_edit_comes_as_a_new_one(world, actor, tree):
    one, other = world
    node_id = one.knows("docs/plan.txt")
    one.delete("docs/plan.txt")()
    files.purge_node(actor=actor, node_id=node_id)
    other.edit("docs/plan.txt", b"second")()
    assert "docs/plan.txt=second" in paths(actor)
    files.trash_node(actor=actor, node_id=other.knows("docs"))
    files.empty_trash(actor=actor)
    one.edit("docs/other.txt", b"first")()
    assert paths(actor) == ["archive/", "other.txt=first"]
