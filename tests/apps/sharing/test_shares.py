"""Shares of any node: who reaches what by them, who may give them, and when they end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.files import api as files
from apps.files import errors as files_errors
from apps.identity.errors import InvalidEmail
from apps.sharing import api as sharing
from apps.sharing import errors
from apps.sharing.models import Permission
from bitvault.events import consuming
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Role
from bitvault.kernel.capabilities import EVERYTHING, ROLES, names_of
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import Tree, assert_events_tell_all, assert_tree_is_sound, events, hash_of, last_seq
from tests.support.shares import filled, grant, live, share, share_only

NOBODY = ids.new_id()


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def olga(make_actor):
    """Somebody whose own files mia does not reach, and who reaches nothing of mia's."""
    return live(replace(make_actor("olga"), role=Role.MEMBER))


@pytest.fixture
def reports(tree):
    """A folder of mia's, below another one, with a file in it."""
    folder = tree.folders("Private/Reports")
    tree.file("q3.txt", folder, b"figures")
    return folder


def inside(actor, folder):
    return files.list_children(actor=actor, node_id=folder.id).items


# --- what a share gives ----------------------------------------------------------------------------------------------------


def test_a_shared_folder_is_reached_with_all_below_and_nothing_above(tree, olga, reports):
    for read in (files.get_node, files.list_children, files.list_path):
        with pytest.raises(NotFound):
            read(actor=olga, node_id=reports.id)
    share(tree.actor, reports, olga, "viewer")
    seen = files.get_node(actor=olga, node_id=reports.id)
    assert (seen.parent_id, seen.name, seen.capabilities) == (None, "Reports", ("view", "download"))
    (file,) = inside(olga, reports)
    assert (file.parent_id, file.capabilities) == (reports.id, ("view", "download"))
    assert files.get_content(actor=olga, node_id=file.id).content_hash == hash_of(b"figures")
    path = files.list_path(actor=olga, node_id=file.id)
    assert [(node.name, node.parent_id) for node in path.items] == [("Reports", None), ("q3.txt", reports.id)]
    assert (path.team_folder_id, path.is_own) == (None, False)
    for above in (reports.parent_id, tree.root.id):
        with pytest.raises(NotFound):
            files.get_node(actor=olga, node_id=above)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_its_capabilities_name_and_nothing_else(tree, olga, reports, role):
    share(tree.actor, reports, olga, role)
    own = Tree(olga)
    (file,) = inside(tree.actor, reports)
    capabilities = names_of(ROLES[role])
    attempts = {
        "view": [
            lambda: inside(olga, reports),
            lambda: files.find_by_path(actor=olga, path="/Q3.txt", root_id=reports.id),
        ],
        "download": [lambda: files.get_content(actor=olga, node_id=file.id)],
        "add": [lambda: own.folder("new", reports), lambda: own.file("new.txt", reports)],
        "edit": [lambda: own.write(file, b"edited"), lambda: own.trash(own.folder("gone", reports))],
        "share": [lambda: share(olga, reports, "everyone", "previewer")],
    }
    assert files.get_node(actor=olga, node_id=reports.id).capabilities == capabilities
    for capability, acts in attempts.items():
        for act in acts:
            if capability in capabilities:
                act()
            else:
                with pytest.raises((Forbidden, NotFound)):
                    act()
    assert_tree_is_sound()
    assert_events_tell_all()


def test_an_uploader_brings_files_and_learns_nothing_of_what_is_there(tree, olga, reports):
    share(tree.actor, reports, olga, "uploader")
    own = Tree(olga)
    brought = own.file("q3.txt", reports, b"figures")  # of the name and the bytes that are there already
    assert (brought.name, brought.capabilities) == ("q3 (2).txt", ("add",))
    folder = own.folder("q3.txt", reports)
    assert folder.name == "q3.txt (2)"
    assert own.file("within.txt", folder).name == "within.txt"
    with pytest.raises(Forbidden):
        inside(olga, reports)
    for node in (brought, folder):
        with pytest.raises(NotFound):
            files.get_node(actor=olga, node_id=node.id)


def test_what_is_shared_several_times_on_the_way_up_gives_the_union(tree, olga, reports):
    private = files.get_node(actor=tree.actor, node_id=reports.parent_id)
    share(tree.actor, private, "everyone", "viewer")
    share(tree.actor, reports, olga, "uploader")
    assert files.get_node(actor=olga, node_id=private.id).capabilities == ("view", "download")
    assert files.get_node(actor=olga, node_id=reports.id).capabilities == ("view", "download", "add")
    (listed,) = inside(olga, private)
    assert (listed.id, listed.capabilities) == (reports.id, ("view", "download", "add"))
    assert inside(olga, reports)[0].capabilities == ("view", "download", "add")


def test_a_share_ends_by_the_clock_and_by_who_takes_it_away(tree, olga, reports):
    until = clock.now() + timedelta(hours=1)
    share(tree.actor, reports, olga, "viewer", expires_at=until)
    carried = filled(olga)
    assert inside(carried, reports)
    with clock.fixed_at(until):
        for actor in (olga, carried):
            with pytest.raises(NotFound):
                inside(actor, reports)
        assert sharing.list_shares(actor=tree.actor, node_id=reports.id).items == []
        share(tree.actor, reports, olga, "viewer")
        assert inside(olga, reports)
    (one,) = sharing.list_shares(actor=tree.actor, node_id=reports.id).items
    sharing.revoke_share(actor=tree.actor, share_id=one.id)
    with pytest.raises(NotFound):
        inside(olga, reports)


def test_shares_follow_their_node_wherever_it_goes(tree, olga, reports):
    share(tree.actor, reports, olga, "editor")
    tree.update(reports, parent_id=tree.folder("elsewhere").id)
    assert inside(olga, reports)
    tree.trash(reports)
    with pytest.raises(NotFound):
        inside(olga, reports)
    tree.restore(reports)
    assert inside(olga, reports)
    tree.trash(reports)
    files.purge_node(actor=tree.actor, node_id=reports.id)
    consuming.consume("sharing")
    with db.read_transaction():
        assert not Permission.objects.exists()


def test_what_moves_out_of_a_shared_folder_is_out_of_reach_and_what_moves_in_is_reached(tree, olga, reports):
    share(tree.actor, reports, olga, "viewer")
    (file,) = inside(olga, reports)
    other = tree.file("other.txt")
    tree.update(file, parent_id=tree.root.id)
    tree.update(other, parent_id=reports.id)
    assert [node.id for node in inside(olga, reports)] == [other.id]
    with pytest.raises(NotFound):
        files.get_node(actor=olga, node_id=file.id)


# --- what a recipient may not do ---------------------------------------------------------------------------------------------


def test_the_topmost_shared_node_stays_where_its_owner_has_put_it(tree, olga, reports):
    share(tree.actor, reports, olga, "manager")
    own = Tree(olga)
    with pytest.raises(files_errors.RootFixed):
        own.trash(reports)
    for changes in ({"name": "Mine"}, {"parent_id": own.root.id}):
        with pytest.raises(files_errors.RootFixed):
            files.update_node(actor=olga, node_id=reports.id, expected_revision="any", **changes)


def test_an_editor_takes_nothing_out_of_anothers_tree(tree, olga, reports):
    share(tree.actor, reports, olga, "editor")
    own, (file,) = Tree(olga), inside(tree.actor, reports)
    with pytest.raises(Forbidden):
        own.update(file, parent_id=own.root.id)
    inner = own.folder("Inner", reports)
    moved = own.update(file, parent_id=inner.id)
    assert moved.parent_id == inner.id
    own.trash(file)  # it lies in its owner's trash
    assert [item.id for item in files.list_trash(actor=tree.actor).items] == [file.id]
    with pytest.raises(NotFound):
        files.list_trash(actor=olga, root_id=tree.root.id)
    own.restore(file)
    assert tree.get(file).parent_id == inner.id


def test_an_edit_of_a_shared_file_keeps_both_sides(tree, olga, reports):
    (file,) = inside(tree.actor, reports)
    share(tree.actor, file, olga, "editor")
    own = Tree(olga)
    base = own.get(file)
    assert base.parent_id is None
    written = own.commit(
        own.grant("q3.txt", reports.parent_id, mode="update", node_id=file.id, base_version_id=base.version_id),
        b"olga's",
    )
    assert (written.node.id, written.node.parent_id) == (file.id, None)
    stale = own.grant("q3.txt", reports.parent_id, mode="update", node_id=file.id, base_version_id=base.version_id)
    copy = own.commit(stale, b"olga's, later").node
    assert (copy.parent_id, copy.capabilities) == (None, ())
    assert {node.id for node in inside(tree.actor, reports)} == {file.id, copy.id}


# --- who shares ------------------------------------------------------------------------------------------------------------


def test_nobody_gives_or_takes_more_than_they_have(tree, olga, reports, make_actor):
    adam, vera = live(make_actor("adam")), live(make_actor("vera"))
    share(tree.actor, reports, olga, "editor")
    with pytest.raises(Forbidden):
        share(olga, reports, vera, "viewer")
    with pytest.raises(NotFound):
        share(adam, reports, vera, "viewer")  # who administers the tenant has nothing in a person's own files
    share(tree.actor, reports, olga, "manager")
    theirs = share(olga, reports, vera, "manager")
    viewing = live(replace(olga, role=Role.VIEWER))
    with pytest.raises(Forbidden):
        sharing.revoke_share(actor=viewing, share_id=theirs.id)
    with db.write_transaction():
        Permission.objects.filter(principal_id=olga.user_id).update(capabilities=ROLES["editor"] | 32)
    for act in (
        lambda: sharing.revoke_share(actor=olga, share_id=theirs.id),
        lambda: share(olga, reports, adam, "manager"),
        lambda: share_only(olga, reports, grant(olga, "editor")),
        lambda: sharing.change_share(actor=olga, share_id=theirs.id, role="viewer"),
    ):
        with pytest.raises(errors.MoreThanOwn):
            act()
    assert share(olga, reports, adam, "editor").role == "editor"


def test_a_recipient_leaves_a_share_of_their_own_and_no_other(tree, olga, reports, make_actor):
    mine = share(tree.actor, reports, olga, "viewer")
    everyones = share(tree.actor, reports, "everyone", "viewer")
    vera = live(make_actor("vera"))
    with pytest.raises(Forbidden):
        sharing.revoke_share(actor=olga, share_id=everyones.id)
    with pytest.raises(Forbidden):
        sharing.revoke_share(actor=vera, share_id=mine.id)
    sharing.revoke_share(actor=olga, share_id=mine.id)
    assert [one.id for one in sharing.list_shares(actor=tree.actor, node_id=reports.id).items] == [everyones.id]


@pytest.mark.parametrize(
    ("principal", "refusal"),
    [
        ({"type": "user"}, errors.PrincipalUnfit),
        ({"type": "everyone", "email": "x@acme.test"}, errors.PrincipalUnfit),
        ({"type": "user", "id": NOBODY}, errors.UnknownPrincipal),
        ({"type": "email", "email": "nobody"}, InvalidEmail),
    ],
)
def test_principals_are_named_as_their_type_needs_and_are_of_the_tenant(tree, reports, principal, refusal):
    from apps.sharing.dtos import Grant, Principal

    with pytest.raises(refusal):
        sharing.put_share(
            actor=tree.actor, node_id=reports.id, grant=Grant(principal=Principal(**principal), role="viewer")
        )


def test_somebody_of_another_tenant_is_nobody_here(tree, reports, make_actor):
    with pytest.raises(errors.UnknownPrincipal):
        share(tree.actor, reports, make_actor("boris"), "viewer")


def test_a_person_is_found_by_their_address(tree, reports, olga):
    from apps.sharing.dtos import Grant, Principal

    person = Principal(type="email", email="Olga@acme.test")
    given = sharing.put_share(actor=tree.actor, node_id=reports.id, grant=Grant(principal=person, role="viewer"))
    assert (given.principal.type, given.principal.id) == ("user", olga.user_id)
    assert inside(olga, reports)


def test_giving_again_changes_the_share_and_the_same_again_changes_nothing(tree, olga, reports):
    first = share(tree.actor, reports, olga, "viewer")
    before = last_seq()
    assert share(tree.actor, reports, olga, "viewer") == first
    assert last_seq() == before
    second = share(tree.actor, reports, olga, "editor")
    assert (second.id, second.role) == (first.id, "editor")
    third = sharing.change_share(
        actor=tree.actor, share_id=first.id, expires_at=clock.now() + timedelta(days=1), ends=True
    )
    assert third.role == "editor"
    sharing.revoke_share(actor=tree.actor, share_id=first.id)
    assert [kind for kind, _ in events(before)] == [
        "sharing.share.changed.v1",
        "sharing.share.changed.v1",
        "sharing.share.revoked.v1",
    ]
    told = events(before)[0][1]
    assert (told["principal_id"], told["capabilities"]) == (str(olga.user_id), list(names_of(ROLES["editor"])))
    with pytest.raises(errors.ExpiryPast):
        share(tree.actor, reports, olga, "viewer", expires_at=clock.now())
    assert_events_tell_all()


def test_a_whole_list_is_replaced_at_once_and_tells_what_became_different(tree, olga, reports, make_actor):
    vera = make_actor("vera")
    share_only(tree.actor, reports, grant(olga, "viewer"), grant("everyone", "viewer"))
    before = last_seq()
    listed = share_only(tree.actor, reports, grant(vera, "editor"), grant("everyone", "viewer"))
    assert [(one.principal.name, one.role) for one in listed] == [("Vera", "editor"), ("Everyone", "viewer")]
    assert [kind for kind, _ in events(before)] == ["sharing.share.revoked.v1", "sharing.share.granted.v1"]


def test_who_owns_a_tree_has_everything_in_it_and_a_narrowed_token_what_lies_in_its_folder(tree, reports):
    assert tree.get(reports).capabilities == names_of(EVERYTHING)
    narrowed = replace(tree.actor, folder_id=reports.id)
    (file,) = inside(narrowed, reports)
    assert files.get_node(actor=narrowed, node_id=reports.id).parent_id is None
    assert file.capabilities == names_of(EVERYTHING)
    for node_id in (reports.parent_id, tree.root.id, "root"):
        with pytest.raises(NotFound):
            files.get_node(actor=narrowed, node_id=node_id)


# --- lists -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [10, 60])
def test_lists_of_what_is_shared_take_the_same_few_statements_however_long(tree, olga, count, counted_queries):
    for number in range(count):
        share(tree.actor, tree.folder(f"f{number}"), olga, "viewer")
    gone = tree.folder("gone")
    share(tree.actor, gone, olga, "viewer")
    tree.trash(gone)
    theirs, mine = filled(olga), filled(tree.actor)
    for act in (
        lambda: sharing.list_shared_with_me(actor=theirs, limit=1000).items,
        lambda: sharing.list_shared_by_me(actor=mine, limit=1000).items,
    ):
        with counted_queries() as statements:
            items = act()
        assert [item.node.name for item in items] == [f"f{number}" for number in reversed(range(count))]
        assert {item.granted_by.name for item in items} == {"Mia"}
        assert len(statements) <= 6, statements
    first = sharing.list_shared_with_me(actor=theirs, limit=4)
    rest = sharing.list_shared_with_me(actor=theirs, limit=1000, cursor=first.next_cursor)
    assert len({item.share.id for item in (*first.items, *rest.items)}) == count
