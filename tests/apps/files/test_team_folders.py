"""Team folders: who reaches what, in every door of files; how they are made, changed, ended and brought back."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.billing import api as billing
from apps.files import api as files
from apps.files import errors, limits
from bitvault.kernel import clock
from bitvault.kernel.actor import ALL_SCOPES, PermissionMissing, Role, Scope, ScopeMissing
from bitvault.kernel.capabilities import EVERYTHING, READING, ROLES, names_of
from bitvault.kernel.errors import Forbidden, NotFound, PreconditionRequired
from tests.apps.files.conftest import (
    Tree,
    assert_events_tell_all,
    assert_tree_is_sound,
    fetch,
    hash_of,
    last_seq,
    live_a_little,
)
from tests.support.shares import filled, grant, live, make_team, share_only

EDITING = names_of(ROLES["editor"])
MANAGING = names_of(EVERYTHING)
VIEWING = names_of(READING)


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def adam(tenant, make_actor):
    return live(make_actor("adam"))


@pytest.fixture
def vera(make_actor):
    return live(make_actor("vera"))


@pytest.fixture
def max_(actor):
    """A plain member with whom nothing is shared by name."""
    return live(replace(actor, user_id=uuid4()))


@pytest.fixture
def make(adam):
    def make_one(name="Design", *grants):
        return make_team(adam, name, *grants)

    return make_one


@pytest.fixture
def design(make, actor):
    """A team folder in which mia edits."""
    return make("Design", grant(actor, "editor"))


def rename(actor, folder, name, **more):
    more.setdefault("expected_revision", folder.revision)
    return files.rename_team_folder(actor=actor, folder_id=folder.id, name=name, **more)


def reached(actor):
    return {root.id: names_of(root.mask) for root in files.list_reachable_roots(actor=actor)}


# --- who reaches what ------------------------------------------------------------------------------------------------------


def test_the_people_on_the_list_reach_it_and_nobody_else_knows_of_it(design, tree, adam, vera, max_, make_actor):
    for actor, capabilities in ((tree.actor, EDITING), (adam, MANAGING), (make_actor("olga"), MANAGING)):
        (folder,) = files.list_team_folders(actor=actor).items
        assert (folder.id, folder.name, folder.capabilities) == (design.id, "Design", capabilities)
        assert files.get_node(actor=actor, node_id=design.id).capabilities == capabilities
        assert reached(actor)[design.id] == capabilities
    for actor in (vera, max_):
        assert files.list_team_folders(actor=actor).items == []
        assert design.id not in reached(actor)
        for read in (files.get_node, files.list_children, files.list_path):
            with pytest.raises(NotFound):
                read(actor=actor, node_id=design.id)
        with pytest.raises(NotFound):
            files.get_team_folder(actor=actor, folder_id=design.id)


def test_a_share_with_everyone_and_one_by_name_give_the_union_of_both(make, actor, vera, max_):
    folder = make("Design", grant("everyone", "viewer"), grant(actor, "editor"))
    assert reached(actor)[folder.id] == EDITING
    assert reached(max_)[folder.id] == VIEWING
    weaker = make("Open", grant("everyone", "editor"), grant(actor, "viewer"), grant(vera, "editor"))
    assert reached(actor)[weaker.id] == EDITING
    assert reached(max_)[weaker.id] == EDITING


def test_role_and_scopes_cut_what_a_share_gives(make, actor, adam, vera):
    folder = make("Design", grant(actor, "editor"), grant(vera, "editor"))
    reading = frozenset({Scope.FILES_READ})
    assert reached(vera)[folder.id] == VIEWING
    assert reached(replace(actor, scopes=reading))[folder.id] == VIEWING
    assert reached(replace(adam, scopes=reading))[folder.id] == VIEWING
    assert reached(replace(adam, role=Role.MEMBER)).get(folder.id) is None


def test_whose_share_ends_loses_it_at_once(design, tree, adam):
    file = tree.file("plan.txt", design)
    share_only(adam, design)
    for read in (files.get_node, files.list_path, files.get_content):
        with pytest.raises(NotFound):
            read(actor=tree.actor, node_id=file.id)
    assert design.id not in reached(tree.actor)


# --- every door ------------------------------------------------------------------------------------------------------------


def test_every_door_of_files_works_in_a_team_folder(design, tree, adam):
    plans = tree.folder("Plans", design)
    file = tree.file("a.txt", plans)
    file = tree.write(file, b"second").node
    file = tree.update(file, name="b.txt")
    assert tree.names(design) == ["Plans"]
    assert tree.names(plans) == ["b.txt"]
    path = files.list_path(actor=tree.actor, node_id=file.id).items
    assert [node.name for node in path] == ["Design", "Plans", "b.txt"]
    assert {node.capabilities for node in path} == {EDITING}
    assert files.find_by_path(actor=tree.actor, path="/plans/B.TXT", root_id=design.id).id == file.id
    assert files.find_by_path(actor=tree.actor, path="/", root_id=design.id).id == design.id
    assert files.get_content(actor=adam, node_id=file.id).content_hash == hash_of(b"second")
    found = files.find_readable_blob(actor=adam, content_hash=hash_of(b"second"), size_bytes=6)
    assert found == files.get_content(actor=adam, node_id=file.id).blob_id
    tree.trash(plans)
    assert tree.names(design) == []
    (item,) = files.list_trash(actor=tree.actor, root_id=design.id).items
    assert (item.id, item.root_id, item.origin_path) == (plans.id, design.id, "/Plans")
    assert files.list_trash(actor=tree.actor).items == []
    tree.restore(plans)
    assert tree.names(plans) == ["b.txt"]
    assert_tree_is_sound()
    assert_events_tell_all()


def test_a_path_begins_in_any_folder_that_the_actor_sees(design, tree, make):
    inner = tree.folder("Plans", design)
    file = tree.file("a.txt", inner)
    assert files.find_by_path(actor=tree.actor, path="/A.txt", root_id=inner.id).id == file.id
    for root_id in (make("Closed").id, uuid4()):
        with pytest.raises(NotFound):
            files.find_by_path(actor=tree.actor, path="/", root_id=root_id)


def test_who_may_only_see_is_refused_every_change_and_strangers_learn_nothing(design, tree, adam, max_, vera):
    folder, file = tree.folder("Plans", design), tree.file("a.txt", design)
    trashed = tree.folder("old", design)
    tree.trash(trashed)
    share_only(adam, design, grant(tree.actor, "viewer"))
    own = {actor: Tree(actor).root.id for actor in (tree.actor, max_)}

    def attempts(actor):
        yield lambda: files.create_folder(actor=actor, parent_id=design.id, name="x")
        yield lambda: files.update_node(actor=actor, node_id=folder.id, name="x", expected_revision="any")
        yield lambda: files.update_node(actor=actor, node_id=file.id, parent_id=own[actor], expected_revision="any")
        yield lambda: files.trash_node(actor=actor, node_id=file.id)
        yield lambda: files.restore_node(actor=actor, node_id=trashed.id)
        yield lambda: files.restore_node(actor=actor, node_id=trashed.id, parent_id=own[actor])
        yield lambda: files.purge_node(actor=actor, node_id=trashed.id)
        yield lambda: files.list_trash(actor=actor, root_id=design.id)
        yield lambda: files.empty_trash(actor=actor, root_id=design.id)
        yield lambda: files.authorise_upload(actor=actor, parent_id=design.id, name="x", size_bytes=1)
        yield lambda: rename(actor, design, "x")
        yield lambda: share_only(actor, design, grant("everyone", "editor"))
        yield lambda: files.end_team_folder(actor=actor, folder_id=design.id)

    before = last_seq()
    for actor, refusal in ((tree.actor, Forbidden), (max_, NotFound)):
        for attempt in attempts(actor):
            with pytest.raises(refusal):
                attempt()
    assert last_seq() == before


def test_an_upload_is_judged_again_when_it_is_committed(design, tree, adam):
    allowed = tree.grant("a.txt", design)
    share_only(adam, design)
    with pytest.raises(NotFound):
        tree.commit(allowed)


def test_things_move_between_ones_own_root_and_a_team_folder_in_both_directions(design, tree, adam):
    own = tree.folder("mine")
    tree.file("a.txt", own)
    moved = tree.update(own, parent_id=design.id)
    assert tree.names(design) == ["mine"]
    assert files.get_node(actor=adam, node_id=own.id).capabilities == MANAGING
    assert moved.capabilities == EDITING
    back = tree.update(moved, parent_id=tree.root.id)
    assert back.capabilities == MANAGING
    with pytest.raises(NotFound):
        files.get_node(actor=adam, node_id=own.id)
    assert_tree_is_sound()
    assert_events_tell_all()


def test_a_move_needs_a_right_at_both_ends(design, make, tree):
    file = tree.file("a.txt", design)
    closed = make("Closed")
    seen = make("Seen", grant("everyone", "viewer"))
    for target, refusal in ((closed, NotFound), (seen, Forbidden)):
        with pytest.raises(refusal):
            tree.update(file, parent_id=target.id)
        with pytest.raises(refusal):
            tree.update(tree.folder(target.name), parent_id=target.id)


def test_the_root_of_a_team_folder_is_changed_by_its_own_doors_alone(design, adam, tree):
    with pytest.raises(errors.RootFixed):
        files.update_node(actor=adam, node_id=design.id, name="x", expected_revision="any")
    with pytest.raises(errors.RootFixed):
        files.trash_node(actor=adam, node_id=design.id)
    with pytest.raises(NotFound):
        rename(adam, tree.folder("x"), "y")


def test_reading_takes_as_many_statements_as_in_ones_own_root(design, tree, counted_queries):
    for number in range(30):
        tree.folder(str(number), design)
    file = tree.file("a.txt", design)
    tree.actor = filled(tree.actor)
    reads = {
        1 + 1: [lambda: tree.get(file), lambda: files.list_path(actor=tree.actor, node_id=file.id)],
        1 + 2: [
            lambda: files.list_children(actor=tree.actor, node_id=design.id),
            lambda: files.get_content(actor=tree.actor, node_id=file.id),
            lambda: tree.grant("b.txt", design),
            lambda: files.list_trash(actor=tree.actor, root_id=design.id),
        ],
    }
    for limit, acts in reads.items():
        for act in acts:
            with counted_queries() as statements:
                act()
            assert len(statements) <= limit, statements


@pytest.mark.parametrize("count", [10, 90])
def test_lists_take_the_same_few_statements_however_long(make, actor, counted_queries, count):
    for number in range(count):
        make(f"Team {number}", grant("everyone", "viewer"))
    actor = filled(actor)
    with counted_queries() as statements:
        assert len(files.list_team_folders(actor=actor).items) == count
        assert len(files.list_reachable_roots(actor=actor)) == count
    assert len(statements) <= 2 * 2, statements


# --- trash -----------------------------------------------------------------------------------------------------------------


def test_editors_bring_back_and_managers_delete(design, tree, adam, vera):
    first, second = tree.folder("first", design), tree.folder("second", design)
    for folder in (first, second):
        tree.trash(folder)
    with pytest.raises(Forbidden):
        files.purge_node(actor=tree.actor, node_id=first.id)
    with pytest.raises(Forbidden):
        files.empty_trash(actor=tree.actor, root_id=design.id)
    assert [item.name for item in files.list_trash(actor=adam, root_id=design.id).items] == ["second", "first"]
    files.restore_node(actor=adam, node_id=first.id)
    files.empty_trash(actor=adam, root_id=design.id)
    assert files.list_trash(actor=adam, root_id=design.id).items == []
    assert tree.names(design) == ["first"]


def test_what_lay_where_one_may_not_go_any_more_comes_back_to_the_root(design, tree, adam):
    """The folder that it was in has been moved into somebody's own root meanwhile: for this person it is gone."""
    inner = tree.folder("Plans", design)
    file = tree.file("a.txt", inner)
    tree.trash(file)
    files.update_node(
        actor=adam,
        node_id=inner.id,
        parent_id=files.ensure_personal_root(actor=adam).id,
        expected_revision="any",
    )
    restored = tree.restore(file)
    assert (restored.parent_id, restored.root_id, restored.restored_to) == (design.id, design.id, "ancestor")


# --- made and changed ------------------------------------------------------------------------------------------------------


def test_only_who_administers_makes_one(actor, vera, adam):
    for person in (actor, vera):
        with pytest.raises(PermissionMissing):
            files.create_team_folder(actor=person, name="Design")
    for scopes in (ALL_SCOPES - {Scope.ADMIN}, ALL_SCOPES - {Scope.FILES_WRITE}):
        with pytest.raises(ScopeMissing):
            files.create_team_folder(actor=replace(adam, scopes=scopes), name="Design")


def test_names_are_unique_by_key_among_live_ones(make, adam, design, tree):
    tree.folder("Design")
    for taken in ("Design", "DESIGN"):
        with pytest.raises(errors.NameTaken) as refused:
            make(taken)
        assert refused.value.facts["node_id"] == design.id
    other = make("Other")
    with pytest.raises(errors.NameTaken):
        rename(adam, other, "design")
    renamed = rename(adam, design, "dEsign")
    assert (renamed.name, renamed.revision) == ("dEsign", design.revision + 1)


def test_a_change_needs_the_state_that_it_starts_from(design, adam, vera):
    with pytest.raises(PreconditionRequired):
        rename(adam, design, "Art", expected_revision=None)
    renamed = rename(adam, design, "Art")
    assert renamed.revision == design.revision + 1
    with pytest.raises(errors.RevisionMismatch):
        rename(adam, design, "Arts")
    with pytest.raises(errors.RevisionMismatch):
        files.end_team_folder(actor=adam, folder_id=design.id, expected_revision=design.revision)


def test_asking_for_what_holds_already_changes_nothing(design, tree, adam):
    before = last_seq()
    assert rename(adam, design, "Design") == design
    share_only(adam, design, grant(tree.actor, "editor"))
    assert last_seq() == before


def test_there_are_only_so_many(make, adam, monkeypatch):
    monkeypatch.setattr(limits, "TEAM_FOLDER_LIMIT", 2)
    first = make("1")
    make("2")
    with pytest.raises(errors.TooManyTeamFolders):
        make("3")
    files.end_team_folder(actor=adam, folder_id=first.id)
    make("3")
    with pytest.raises(errors.TooManyTeamFolders):
        files.restore_team_folder(actor=adam, folder_id=first.id)


# --- ended -----------------------------------------------------------------------------------------------------------------


def test_an_ended_one_is_out_of_sight_and_loses_nothing(design, tree, adam, make):
    file = tree.file("a.txt", tree.folder("Plans", design))
    files.end_team_folder(actor=adam, folder_id=design.id)
    for actor in (tree.actor, adam):
        assert files.list_team_folders(actor=actor).items == []
        assert design.id not in reached(actor)
        with pytest.raises(NotFound):
            files.get_node(actor=actor, node_id=file.id)
    assert files.list_team_folders(actor=tree.actor, ended=True).items == []
    with pytest.raises(NotFound):
        files.get_team_folder(actor=tree.actor, folder_id=design.id)
    (ended,) = files.list_team_folders(actor=adam, ended=True).items
    assert ended.expires_at - ended.ended_at == timedelta(days=30)
    assert files.get_team_folder(actor=adam, folder_id=design.id) == ended
    back = files.restore_team_folder(actor=adam, folder_id=design.id)
    assert (back.ended_at, back.name) == (None, "Design")
    assert tree.get(file).name == "a.txt"
    assert_tree_is_sound()
    assert_events_tell_all()


def test_an_ended_one_comes_back_under_another_name_when_its_own_is_taken(design, adam, make, tree):
    files.end_team_folder(actor=adam, folder_id=design.id)
    make("design")
    with pytest.raises(errors.NameTaken):
        files.restore_team_folder(actor=adam, folder_id=design.id)
    assert files.restore_team_folder(actor=adam, folder_id=design.id, name="Old design").name == "Old design"


def test_only_who_administers_brings_one_back_or_deletes_it(design, tree, adam, max_):
    live = tree.folder("x", design)
    files.end_team_folder(actor=adam, folder_id=design.id)
    for actor in (tree.actor, max_):
        with pytest.raises(NotFound):
            files.restore_team_folder(actor=actor, folder_id=design.id)
        with pytest.raises(NotFound):
            files.purge_node(actor=actor, node_id=design.id)
        with pytest.raises(NotFound):
            files.restore_node(actor=actor, node_id=design.id)
    reading = replace(adam, role=Role.ADMIN, scopes=ALL_SCOPES - {Scope.FILES_WRITE})
    with pytest.raises(ScopeMissing):
        files.restore_team_folder(actor=reading, folder_id=design.id)
    for folder_id in (live.id, uuid4(), files.ensure_personal_root(actor=adam).id):
        with pytest.raises(NotFound):
            files.restore_team_folder(actor=adam, folder_id=folder_id)


def test_deleting_an_ended_one_for_ever_takes_its_trash_along_and_gives_the_room_back(design, tree, adam, monkeypatch):
    tree.file("a.txt", tree.folder("Plans", design), b"12345")
    early = tree.file("early.txt", design, b"123")
    tree.trash(early)
    files.end_team_folder(actor=adam, folder_id=design.id)
    given_back = []
    monkeypatch.setattr(billing, "refund", lambda **told: given_back.append(told["size_bytes"]))
    files.purge_node(actor=adam, node_id=design.id)
    assert sum(given_back) == 8
    for table in ("files_trash", "files_version"):
        assert fetch(f"SELECT count(*) FROM {table}") == [(0,)]
    with pytest.raises(NotFound):
        files.restore_team_folder(actor=adam, folder_id=design.id)
    assert_tree_is_sound()
    assert_events_tell_all()


def test_an_ended_one_expires_with_the_trash(design, tree, adam):
    tree.file("a.txt", design)
    files.end_team_folder(actor=adam, folder_id=design.id)
    with clock.fixed_at(clock.now() + timedelta(days=30) - timedelta(minutes=1)):
        assert files.purge_expired() == 0
    with clock.fixed_at(clock.now() + timedelta(days=30) + timedelta(minutes=1)):
        assert files.purge_expired() == 1
    assert files.list_team_folders(actor=adam, ended=True).items == []
    assert_events_tell_all()


# --- at random -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_over_several_roots_the_stream_tells_all(make, tree, adam, vera, seed):
    chance = random.Random(seed)
    people = [tree, Tree(adam)]
    folders = [make("One", grant("everyone", "editor")), make("Two", grant(tree.actor, "editor"))]
    for _ in range(25):
        live_a_little(chance.choice(people), chance, 5)
        folder = chance.choice(folders)
        match chance.randrange(4):
            case 0:
                if folder.id in reached(adam):
                    files.end_team_folder(actor=adam, folder_id=folder.id)
                else:
                    files.restore_team_folder(actor=adam, folder_id=folder.id)
            case 1 if folder.id in reached(adam):
                by_name = [grant(one, chance.choice(["viewer", "editor"])) for one in (tree.actor, vera)]
                everyone = [grant("everyone", chance.choice(["viewer", "editor"]))]
                share_only(adam, folder, *chance.sample(by_name, 1), *chance.sample(everyone, chance.randrange(2)))
    assert_events_tell_all()
    assert_tree_is_sound()
