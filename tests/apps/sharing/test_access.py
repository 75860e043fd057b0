"""Who reaches a node, and by what; with whom it can be shared; and the marks on rows."""

from datetime import timedelta

import pytest

from apps.identity import api as identity
from apps.sharing import api as sharing
from apps.sharing import errors
from apps.sharing.dtos import Grant, Principal
from bitvault.kernel import clock
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Forbidden, NotFound
from tests.support.shares import by_rest, filled, make_team, share
from tests.support.world import ACME


@pytest.fixture
def olga(make_actor):
    from dataclasses import replace

    return replace(make_actor("olga"), role=Role.MEMBER)


def told(actor, node):
    """Say who reaches a node as a list of lines."""
    access = sharing.get_access(actor=filled(actor), node_id=node.id)
    return [
        (
            entry.source,
            entry.principal.name if entry.principal else None,
            entry.role,
            entry.through.name if entry.through else "here",
        )
        for entry in access.items
    ]


def test_it_names_the_owner_the_shares_of_the_node_and_those_of_the_folders_above(tree, olga, make_actor):
    top = tree.folder("Top")
    inner = tree.folder("Inner", top)
    share(tree.actor, top, olga, "viewer")
    share(tree.actor, inner, "everyone", "editor", expires_at=clock.now() + timedelta(days=1))
    assert told(tree.actor, inner) == [
        ("owner", "Mia", "owner", "here"),
        ("share", "Everyone", "editor", "here"),
        ("share", "Olga", "viewer", "Top"),
    ]
    assert told(tree.actor, top) == [("owner", "Mia", "owner", "here"), ("share", "Olga", "viewer", "here")]
    with pytest.raises(NotFound):
        sharing.get_access(actor=filled(make_actor("vera")), node_id=top.id)


def test_a_team_folder_is_reached_by_whoever_administers(tree, make_actor):
    adam = make_actor("adam")
    team = make_team(adam)
    access = sharing.get_access(actor=adam, node_id=team.id)
    assert (access.is_root, access.in_team_folder) == (True, True)
    assert [(entry.source, entry.principal) for entry in access.items] == [("administrators", None)]


def test_what_stands_above_what_one_sees_is_told_to_those_who_share_on_and_has_no_name(tree, olga, make_actor):
    vera = make_actor("vera")
    secret = tree.folder("Secret")
    shown = tree.folder("Shown", secret)
    share(tree.actor, secret, vera, "editor")
    share(tree.actor, shown, olga, "viewer")
    assert told(olga, shown) == [("owner", "Mia", "owner", "here"), ("share", "Olga", "viewer", "here")]
    share(tree.actor, shown, olga, "manager")
    assert told(olga, shown)[-1] == ("share", "Vera", "editor", None)


def test_somebody_who_can_only_add_is_told_nothing(tree, olga):
    box = tree.folder("Box")
    share(tree.actor, box, olga, "uploader")
    with pytest.raises(Forbidden):
        sharing.get_access(actor=filled(olga), node_id=box.id)


@pytest.mark.parametrize("count", [3, 40])
def test_it_takes_the_same_few_statements_however_many_have_access(tree, count, counted_queries, make_actor, tenant):
    folder = tree.folders("a/b/c")
    for number in range(count):
        member = identity.add_member(tenant=tenant, email=f"p{number}@acme.test", role=Role.MEMBER)
        share(tree.actor, folder, member.user.id, "viewer")
    mine = filled(tree.actor)
    with counted_queries() as statements:
        assert len(sharing.get_access(actor=mine, node_id=folder.id).items) == count + 1
    assert len(statements) <= 6, statements


# --- with whom -------------------------------------------------------------------------------------------------------------


def test_people_and_groups_are_found_by_a_part_of_their_name_or_address(tree, make_actor):
    identity.create_group(actor=make_actor("adam"), name="Veranda")
    folder = tree.folder("Drafts")

    def find(text, limit=8):
        found = sharing.search_candidates(actor=tree.actor, node_id=folder.id, text=text, limit=limit)
        return [(one.type, one.name) for one in found.items]

    assert find("VERA") == [("group", "Veranda"), ("user", "Vera")]
    assert find("olga@acme") == [("user", "Olga")]
    assert find("boris") == []
    assert len(find("", limit=2)) == 2


def test_a_deactivated_member_is_not_offered(tree, make_actor):
    identity.update_member(actor=make_actor("adam"), member_id=ACME.people["vera"].user_id, state="deactivated")
    folder = tree.folder("Drafts")
    assert sharing.search_candidates(actor=tree.actor, node_id=folder.id, text="vera", limit=8).items == []


def test_only_who_may_share_a_node_looks_for_people(tree, olga):
    folder = tree.folder("Drafts")
    share(tree.actor, folder, olga, "editor")
    with pytest.raises(Forbidden):
        sharing.search_candidates(actor=filled(olga), node_id=folder.id, text="a", limit=8)


# --- marks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 60])
def test_marks_take_the_same_few_statements_however_many_rows_and_shares(
    tree, olga, count, counted_queries, make_actor
):
    nodes = [tree.folder(f"f{number}") for number in range(count)]
    for node in nodes:
        share(tree.actor, node, olga, "viewer")
        share(tree.actor, node, make_actor("vera"), "viewer")
    quiet, open_to_all = tree.folder("quiet"), tree.folder("open")
    share(tree.actor, open_to_all, "everyone", "viewer")
    ended = tree.folder("ended")
    share(tree.actor, ended, olga, "viewer", expires_at=clock.now() + timedelta(seconds=1))
    mine = filled(tree.actor)
    with counted_queries() as statements:
        badges = sharing.list_badges(actor=mine, node_ids=[*(node.id for node in nodes), quiet.id, open_to_all.id])
    by_node = {badge.node_id: badge for badge in badges}
    assert set(by_node) == {*(node.id for node in nodes), open_to_all.id}
    assert (by_node[nodes[0].id].count, by_node[nodes[0].id].names) == (2, ["Olga", "Vera"])
    assert by_node[open_to_all.id].with_everyone
    assert len(statements) <= 8, statements


def test_marks_say_nothing_of_what_one_may_not_know_of(tree, olga, make_actor):
    node = tree.folder("mine")
    share(tree.actor, node, make_actor("vera"), "viewer")
    assert sharing.list_badges(actor=filled(olga), node_ids=[node.id]) == []


# --- over REST -------------------------------------------------------------------------------------------------------------


def test_access_and_candidates_over_rest(api):
    mia = api("mia")
    folder = mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Drafts"}).json()
    path = f"/nodes/{folder['id']}"
    given = mia.post(f"{path}/shares", by_rest(ACME.people["vera"].user_id, "viewer", message="Look", notify=False))
    assert given.status_code == 201, given.content
    assert "message" not in given.json()
    access = mia.get(f"{path}/access").json()
    assert [(one["source"], one["principal"]["name"]) for one in access["items"]] == [
        ("owner", "Mia"),
        ("share", "Vera"),
    ]
    assert mia.get(f"{path}/shares/candidates", q="ver").json()["items"] == [
        {
            "type": "user",
            "id": str(ACME.people["vera"].user_id),
            "name": "Vera",
            "email": "vera@acme.test",
            "is_guest": False,
        }
    ]
    (received,) = api("vera").get("/shared/with-me").json()["items"]
    assert received["message"] == "Look"
    for message in ("x" * 501, "bell\a"):
        answer = mia.post(f"{path}/shares", by_rest("everyone", "viewer", message=message))
        assert (answer.status_code, answer.json()["code"]) == (422, "sharing.message_unfit")
    assert api("vera").get(f"{path}/shares/candidates").status_code == 403
    assert api("olga").get(f"{path}/access").status_code == 404


# --- why, and why not ------------------------------------------------------------------------------------------------------


def explain(actor, node, kind, id_):
    access = sharing.get_access(actor=filled(actor), node_id=node.id, principal=Principal(type=kind, id=id_))
    return access.asked, [(entry.source, entry.role) for entry in access.items]


def test_it_explains_by_what_somebody_reaches_a_node_and_why_they_do_not(tree, olga, make_actor):
    adam, vera = make_actor("adam"), make_actor("vera")
    group = identity.create_group(actor=adam, name="Design")
    inner = identity.create_group(actor=adam, name="Icons", parent_id=group.id)
    identity.put_group_member(actor=adam, group_id=inner.id, user_id=vera.user_id)
    folder = tree.folder("Drafts")
    asked, items = explain(tree.actor, folder, "user", vera.user_id)
    assert (asked.capabilities, asked.why_not, items) == ((), "nothing_shared", [])
    grant = Grant(principal=Principal(type="group", id=group.id), role="editor")
    sharing.put_share(actor=tree.actor, node_id=folder.id, grant=grant)
    share(tree.actor, folder, "everyone", "previewer")
    asked, items = explain(tree.actor, folder, "user", vera.user_id)
    assert items == [("share", "editor"), ("share", "previewer")]
    assert (asked.capabilities, asked.limited_by_role) == (("view", "download"), True)  # vera is a viewer here
    asked, items = explain(tree.actor, folder, "group", inner.id)
    assert (asked.capabilities[-1], len(items)) == ("edit", 2)
    assert explain(tree.actor, folder, "user", tree.actor.user_id)[1][0] == ("owner", "owner")
    identity.update_member(actor=adam, member_id=vera.user_id, state="deactivated")
    assert explain(tree.actor, folder, "user", vera.user_id)[0].why_not == "deactivated"


def test_of_others_is_told_to_those_who_share_alone(tree, olga, make_actor):
    folder = tree.folder("Drafts")
    share(tree.actor, folder, olga, "editor")
    assert explain(olga, folder, "user", olga.user_id)[1] == [("share", "editor")]
    with pytest.raises(Forbidden):
        explain(olga, folder, "user", tree.actor.user_id)
    for kind in ("user", "group"):
        with pytest.raises(errors.UnknownPrincipal):
            explain(tree.actor, folder, kind, make_actor("boris").user_id)


def test_explaining_over_rest_takes_one_principal(api):
    mia = api("mia")
    folder = mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Drafts"}).json()
    answer = mia.get(f"/nodes/{folder['id']}/access", principal=f"user:{ACME.people['vera'].user_id}").json()
    assert (answer["items"], answer["asked"]["why_not"]) == ([], "nothing_shared")
    for text in ("vera", "user:", f"link:{ACME.people['vera'].user_id}"):
        assert mia.get(f"/nodes/{folder['id']}/access", principal=text).status_code == 422
