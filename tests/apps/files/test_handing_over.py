"""What somebody kept who has left lies in their successor's root: nothing is lost, and nothing is found by who has left."""

import pytest

from apps.files import api as files
from apps.files.operations import handing_over
from apps.identity import api as identity
from bitvault.jobs import running
from bitvault.kernel.actor import Role
from tests.apps.files.conftest import Tree, assert_events_tell_all, assert_tree_is_sound, fetch
from tests.apps.sync.following import Device, project
from tests.support.world import ACME


@pytest.fixture
def adam(tenant, make_actor):
    return Tree(make_actor("adam"))


@pytest.fixture
def leave(tenant):
    """Put somebody out, and do what follows from it."""

    def act(name, *, successor="adam"):
        people = ACME.people
        identity.remove_member(tenant=tenant, user_id=people[name].user_id, successor_id=people[successor].user_id)
        while running.run_next("bulk"):
            pass

    return act


def names_in(actor, folder_id="root"):
    return {node.name: node for node in files.list_children(actor=actor, node_id=folder_id).items}


def test_the_root_of_who_has_left_is_a_folder_of_the_successor(tree, adam, leave):
    folder = tree.folder("Plans")
    file = tree.file("plan.txt", folder)
    leave("mia")
    handed = names_in(adam.actor)["Files of Mia"]
    plans = names_in(adam.actor, handed.id)["Plans"]
    assert plans.id == folder.id
    assert names_in(adam.actor, plans.id)["plan.txt"].id == file.id
    assert files.list_path(actor=adam.actor, node_id=file.id).items[-1].name == "plan.txt"
    assert_tree_is_sound()
    assert_events_tell_all()


def test_a_successor_who_was_never_here_gets_a_root_for_it(tree, make_actor, leave):
    tree.folder("Plans")
    leave("mia", successor="olga")
    assert "Plans" in names_in(make_actor("olga"), names_in(make_actor("olga"))["Files of Mia"].id)


def test_what_lay_in_the_trash_is_brought_back_to_where_it_was(tree, adam, leave, monkeypatch):
    monkeypatch.setattr(handing_over, "TRASH_BATCH", 2)
    folder = tree.folder("Plans")
    thrown = [tree.folder(f"old {n}", folder) for n in range(5)]
    for one in thrown:
        files.trash_node(actor=tree.actor, node_id=one.id)
    leave("mia")
    assert {item.name for item in files.list_trash(actor=adam.actor).items} == {one.name for one in thrown}
    back = files.restore_node(actor=adam.actor, node_id=thrown[0].id)
    assert back.path == "/Files of Mia/Plans/old 0"
    assert_tree_is_sound()


def test_two_of_one_name_leave_two_folders(tenant, tree, adam, leave):
    tree.folder("first")
    leave("mia")
    identity.add_member(tenant=tenant, email="mia@acme.test", role=Role.MEMBER)
    Tree(tree.actor).folder("second")
    leave("mia")
    found = names_in(adam.actor)
    assert set(found) == {"Files of Mia", "Files of Mia (2)"}
    assert set(names_in(adam.actor, found["Files of Mia (2)"].id)) == {"second"}


def test_what_was_handed_over_goes_on_to_who_succeeds_the_successor(tenant, tree, adam, make_actor, leave):
    tree.folder("Plans")
    adam.folder("Budget")
    leave("mia")
    leave("adam", successor="olga")
    olga = make_actor("olga")
    of_adam = names_in(olga, names_in(olga)["Files of Adam"].id)
    assert set(of_adam) == {"Budget", "Files of Mia"}


def test_a_successor_who_leaves_before_the_job_runs_passes_it_on(tenant, tree, adam, make_actor):
    tree.folder("Plans")
    adam.folder("Budget")
    people = ACME.people
    identity.remove_member(tenant=tenant, user_id=people["mia"].user_id, successor_id=people["adam"].user_id)
    identity.remove_member(tenant=tenant, user_id=people["adam"].user_id, successor_id=people["olga"].user_id)
    while running.run_next("bulk"):
        pass
    assert set(names_in(make_actor("olga"))) == {"Files of Mia", "Files of Adam"}
    assert fetch("SELECT owner_user_id FROM files_node WHERE owner_user_id IS NOT NULL") == [(people["olga"].user_id,)]


def test_who_comes_back_keeps_what_has_not_been_handed_over_yet(tenant, tree, adam):
    tree.folder("Plans")
    people = ACME.people
    identity.remove_member(tenant=tenant, user_id=people["mia"].user_id, successor_id=people["adam"].user_id)
    identity.add_member(tenant=tenant, email="mia@acme.test", role=Role.MEMBER)
    while running.run_next("bulk"):
        pass
    assert "Plans" in names_in(tree.actor)
    assert "Files of Mia" not in names_in(adam.actor)


def test_who_had_nothing_leaves_no_folder(tenant, adam, leave):
    leave("vera")
    assert names_in(adam.actor) == {}


def test_what_lies_as_deep_as_can_be_is_handed_over_too(tree, adam, leave, monkeypatch):
    from apps.files import limits

    monkeypatch.setattr(limits, "DEPTH_LIMIT", 3)
    deepest = tree.folder("c", tree.folder("b", tree.folder("a")))
    leave("mia")
    assert files.get_node(actor=adam.actor, node_id=deepest.id).name == "c"
    assert_tree_is_sound()


@pytest.mark.parametrize(
    ("person", "folder"),
    [
        ("Ann/Bob", "Files of Ann-Bob"),
        ("Ann\u202e", "Files of Ann\u202e"),
        ("\U0001f600" * 100, f"Files of {chr(0x1F600) * 45}"),
        ("Ann ", "Files of Ann"),
    ],
)
def test_the_folder_has_the_persons_name_as_far_as_a_file_can_have_it(person, folder):
    assert handing_over.name_folder(person).text in (folder, "Files of a former member")


def test_the_devices_of_the_successor_get_all_of_it(tree, adam, leave):
    file = tree.file("plan.txt", tree.folder("Plans"))
    adam.folder("Budget")
    project()
    device = Device(adam.actor)
    device.follow()
    leave("mia")
    project()
    device.follow()
    assert {"Files of Mia", "Plans", "plan.txt"} <= {node["name"] for node in device.nodes.values()}
    assert file.id in device.nodes
