"""Shortcuts: rows in somebody's own tree that lead to what others share, give nothing, and break and mend with the share."""

from uuid import uuid4

import pytest

from apps.files import api as files
from apps.sharing import api as sharing
from apps.sharing import errors, shortcuts
from apps.sharing.models import Shortcut
from bitvault.events import consuming
from bitvault.kernel import db
from bitvault.kernel.actor import NotForGuests, Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.names import InvalidName
from tests.apps.files.conftest import Tree, last_seq
from tests.support.shares import live, make_team, share
from tests.support.world import ACME


@pytest.fixture
def vera(make_actor):
    return live(make_actor("vera", role=Role.MEMBER))


@pytest.fixture
def own(tree, vera):
    """Vera's own tree."""
    return Tree(vera)


@pytest.fixture
def plans(tree, vera):
    folder = tree.folder("Plans")
    tree.file("q3.txt", folder, b"figures")
    share(tree.actor, folder, vera, "viewer")
    return folder


def put(actor, folder, node, **more):
    return sharing.create_shortcut(actor=actor, folder_id=folder.id, node_id=node.id, **more)


def listed(actor, folder=None):
    found = sharing.list_shortcuts(actor=actor, folder_id=folder and folder.id).items
    return [(one.name, one.node and one.node.name) for one in found]


def test_a_shortcut_leads_out_of_ones_own_tree_and_is_seen_by_oneself_alone(tree, own, vera, plans, make_actor):
    work, before = own.folder("Work"), last_seq()
    made = put(vera, work, plans)
    assert (made.name, made.node.name, made.node.capabilities) == ("Plans", "Plans", ("view", "download"))
    assert listed(vera, work) == listed(vera) == [("Plans", "Plans")]
    assert listed(vera, own.root) == []
    assert own.names(work) == []
    with pytest.raises(NotFound):
        sharing.list_shortcuts(actor=tree.actor, folder_id=work.id)
    assert listed(tree.actor) == []
    assert last_seq() == before  # nobody is told, devices neither


def test_it_is_renamed_and_moved_without_touching_what_it_leads_to(tree, own, vera, plans):
    work, home = own.folder("Work"), own.folder("Home")
    made = put(vera, work, plans)
    changed = sharing.update_shortcut(actor=vera, shortcut_id=made.id, name="Their plans", folder_id=home.id)
    assert (changed.name, changed.folder_id) == ("Their plans", home.id)
    assert (listed(vera, work), listed(vera, home)) == ([], [("Their plans", "Plans")])
    assert tree.get(plans).name == "Plans"
    tree.update(tree.get(plans), name="Plans of 2027")
    assert listed(vera, home) == [("Their plans", "Plans of 2027")]
    sharing.remove_shortcut(actor=vera, shortcut_id=made.id)
    assert listed(vera) == []
    assert tree.get(plans).name == "Plans of 2027"
    with pytest.raises(NotFound):
        sharing.remove_shortcut(actor=vera, shortcut_id=made.id)


def test_made_again_it_is_the_same_and_taken_names_are_numbered_or_refused(tree, own, vera, plans, make_actor):
    made = put(vera, own.root, plans)
    assert put(vera, own.root, plans).id == put(vera, own.root, plans, name="PLANS").id == made.id
    other = tree.folder("Plans", tree.folder("Other"))
    share(tree.actor, other, vera, "viewer")
    assert put(vera, own.root, other).name == "Plans (2)"
    with pytest.raises(errors.ShortcutNameTaken):
        put(vera, own.root, tree.file("a.txt", plans), name="plans (2)")
    with pytest.raises(errors.ShortcutNameTaken):
        sharing.update_shortcut(actor=vera, shortcut_id=made.id, name="Plans (2)")
    # A folder of this name stands beside it, for neither knows of the other.
    assert own.folder("Plans").name == "Plans"


def test_it_breaks_with_the_share_and_mends_with_it(tree, own, vera, plans):
    put(vera, own.root, plans)
    (item,) = sharing.list_shared_with_me(actor=vera).items
    sharing.revoke_share(actor=vera, share_id=item.share.id)
    assert listed(vera) == [("Plans", None)]
    share(tree.actor, plans, vera, "editor")
    assert listed(vera) == [("Plans", "Plans")]
    tree.trash(plans)
    assert listed(vera) == [("Plans", None)]
    (broken,) = sharing.list_shortcuts(actor=vera).items
    sharing.update_shortcut(actor=vera, shortcut_id=broken.id, name="What was it")
    sharing.remove_shortcut(actor=vera, shortcut_id=broken.id)
    assert listed(vera) == []


def test_it_lies_in_a_folder_of_ones_own_and_leads_to_something_of_others(tree, own, vera, plans, make_actor):
    team = make_team(make_actor("adam"), "Design")
    share(make_actor("adam"), team, vera, "editor")
    for folder, node, reason in (
        (plans, plans, "place"),
        (team, plans, "place"),
        (own.file("a.txt"), plans, "place"),
        (own.root, own.folder("Mine"), "own_node"),
        (own.root, own.root, "own_node"),
    ):
        with pytest.raises(errors.ShortcutUnfit) as refused:
            put(vera, folder, node)
        assert refused.value.facts["reason"] == reason
    made = put(vera, own.root, team)
    with pytest.raises(errors.ShortcutUnfit):
        sharing.update_shortcut(actor=vera, shortcut_id=made.id, folder_id=team.id)
    with pytest.raises(NotFound):
        put(vera, own.root, tree.folder("Hidden"))
    with pytest.raises(NotFound):
        put(vera, tree.root, plans)
    with pytest.raises(InvalidName):
        put(vera, own.root, plans, name="a/b")


def test_nobody_changes_the_shortcut_of_somebody_else(tree, own, vera, plans):
    made = put(vera, own.root, plans)
    for act in (
        lambda: sharing.update_shortcut(actor=tree.actor, shortcut_id=made.id, name="x"),
        lambda: sharing.remove_shortcut(actor=tree.actor, shortcut_id=made.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_guest_has_no_tree_to_put_one_into(own, plans, make_actor):
    with pytest.raises(NotForGuests):
        put(live(make_actor("vera", role=Role.GUEST)), own.root, plans)


def test_there_are_at_most_so_many(own, vera, plans, monkeypatch):
    monkeypatch.setattr(shortcuts, "LIMIT", 1)
    put(vera, own.root, plans)
    with pytest.raises(errors.TooManyShortcuts):
        put(vera, own.folder("Work"), plans)


def test_it_goes_with_its_folder_for_ever_and_with_who_leaves(tree, own, vera, plans):
    work = own.folder("Work")
    put(vera, work, plans)
    own.trash(work)
    consuming.consume("sharing")
    with db.read_transaction():
        assert Shortcut.objects.count() == 1  # it comes back with its folder
    own.restore(work)
    assert listed(vera, work) == [("Plans", "Plans")]
    own.trash(work)
    files.purge_node(actor=vera, node_id=work.id)
    consuming.consume("sharing")
    with db.read_transaction():
        assert not Shortcut.objects.exists()
    put(vera, own.root, plans)
    shortcuts.forget_person(vera.user_id)
    assert listed(vera) == []


@pytest.mark.parametrize("count", [5, 60])
def test_the_list_takes_the_same_few_queries_however_long(tree, own, vera, counted_queries, count):
    for number in range(count):
        folder = tree.folder(f"Folder {number}")
        share(tree.actor, folder, vera, "viewer")
        put(vera, own.root, folder)
    with counted_queries() as statements:
        assert len(listed(vera, own.root)) == count
    assert len(statements) <= 9, statements


def test_over_rest_they_are_made_listed_changed_and_removed(api):
    mia, vera = api("mia"), api("vera")
    root_id = mia.get("/me").json()["root_id"]
    node = mia.post("/folders", {"parent_id": root_id, "name": str(uuid4())}).json()
    wish = {"principal": {"type": "user", "id": str(ACME.people["vera"].user_id)}, "role": "viewer", "notify": False}
    share_id = mia.post(f"/nodes/{node['id']}/shares", wish).json()["id"]
    place = f"/nodes/{vera.get('/me').json()['root_id']}/shortcuts"
    made = vera.post(place, {"node_id": node["id"], "name": "Theirs"})
    assert made.status_code == 201
    assert vera.get(place).json()["items"] == vera.get("/shortcuts").json()["items"] == [made.json()]
    path = f"/shortcuts/{made.json()['id']}"
    assert vera.patch(path, {"name": "Ours"}).json()["name"] == "Ours"
    assert mia.patch(path, {"name": "Mine"}).status_code == 404
    assert mia.delete(f"/shares/{share_id}").status_code == 204
    assert vera.get(place).json()["items"][0]["node"] is None
    refused = vera.post(place, {"node_id": node["id"]})
    assert (refused.status_code, refused.json()["code"]) == (404, "access.not_found")
    assert [vera.delete(path).status_code for _ in range(2)] == [204, 404]
