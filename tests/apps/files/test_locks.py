"""Locks of files: one person alone changes a file until the lock ends, whatever the way; everybody goes on reading."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.files import api as files
from apps.files import errors, limits
from apps.files.api import copies
from apps.files.dtos.uploads import UploadWish
from apps.files.operations import handing_over, locking
from bitvault.kernel import clock
from bitvault.kernel.actor import ActorKind, Scope, ScopeMissing
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import (
    Tree,
    assert_events_tell_all,
    assert_tree_is_sound,
    events,
    fetch,
    last_seq,
)
from tests.apps.files.test_concurrency import crowd
from tests.support.shares import filled, grant, live, make_team


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def adam(tenant, make_actor):
    """Who manages the team folder."""
    return live(make_actor("adam"))


@pytest.fixture
def max_(actor):
    """Who edits in the team folder as mia does."""
    return live(replace(actor, user_id=uuid4()))


@pytest.fixture
def design(tree, adam):
    return make_team(adam, "Design", grant(tree.actor, "editor"), grant("everyone", "editor"))


@pytest.fixture
def inner(tree, design):
    return tree.folder("inner", design)


@pytest.fixture
def file(tree, inner):
    return tree.file("plan.txt", inner)


@pytest.fixture
def locked(tree, file):
    """A file that mia has locked."""
    return lock(tree.actor, file, reason="Numbers are not final")


def lock(actor, node, **more):
    return files.lock_node(actor=actor, node_id=node.id, **more)


def unlock(actor, node, **more):
    return files.unlock_node(actor=actor, node_id=node.id, **more)


def upload(actor, node, **more):
    return files.authorise_upload(actor=actor, parent_id=node.parent_id, name=node.name, size_bytes=3, **more)


# --- taking and ending -----------------------------------------------------------------------------------------------------


def test_a_lock_tells_who_why_where_and_until_when(tree, file):
    moment, before = clock.now(), last_seq()
    with clock.fixed_at(moment):
        node = lock(tree.actor, file, reason="  At work  ", device="Mia's laptop")
    assert (node.lock.holder_id, node.lock.holder_name) == (tree.actor.user_id, "Mia")
    assert (node.lock.reason, node.lock.device) == ("At work", "Mia's laptop")
    assert (node.lock.locked_at, node.lock.expires_at) == (moment, moment + timedelta(hours=8))
    assert (node.revision, tree.get(file)) == (file.revision + 1, node)
    ((kind, told),) = events(before)
    assert (kind, told["holder_id"], told["stated_reason"]) == (
        "files.node.locked.v1",
        str(tree.actor.user_id),
        "At work",
    )
    assert_events_tell_all()


def test_the_holder_prolongs_a_lock_and_what_is_not_said_stays(tree, locked):
    later = clock.now() + timedelta(days=3)
    again = lock(tree.actor, locked, expires_at=later)
    assert (again.lock.expires_at, again.lock.reason) == (later, locked.lock.reason)
    assert again.lock.locked_at == locked.lock.locked_at
    seq = last_seq()
    assert lock(tree.actor, locked) == lock(tree.actor, locked, expires_at=later) == again
    assert last_seq() == seq, "what holds already is told to nobody"
    assert lock(tree.actor, locked, reason="").lock.reason == ""


def test_somebody_else_cannot_lock_it_too_and_is_told_who_has(tree, max_, locked):
    with pytest.raises(errors.NodeLocked) as refused:
        lock(max_, locked)
    assert refused.value.status == 423
    facts = {"node_id": locked.id, "name": "plan.txt", "lock": locked.lock, "holder_name": "Mia"}
    assert refused.value.facts == facts
    assert refused.value.detail == "Mia has locked “plan.txt”."


@pytest.mark.parametrize("days", [-1, 0, 31])
def test_a_lock_ends_in_the_future_and_within_a_month(tree, file, days):
    moment = clock.now()
    with clock.fixed_at(moment), pytest.raises(errors.BadLockEnd) as refused:
        lock(tree.actor, file, expires_at=moment + timedelta(days=days))
    assert refused.value.facts == {"latest": moment + timedelta(days=30)}


def test_the_installation_says_how_long_locks_last(tree, file, settings):
    settings.BITVAULT_LOCKS = {"default_hours": 2, "longest_days": 1}
    node = lock(tree.actor, file)
    assert node.lock.expires_at - node.lock.locked_at == timedelta(hours=2)
    with pytest.raises(errors.BadLockEnd):
        lock(tree.actor, file, expires_at=clock.now() + timedelta(days=2))


def test_only_files_are_locked_and_only_by_people_who_may_edit_them(tree, adam, max_, design, file):
    with pytest.raises(NotFound):
        lock(max_, tree.file("mine.txt"))
    other = make_team(adam, "Other", grant("everyone", "commenter"), grant(tree.actor, "editor"))
    there = tree.file("there.txt", other)
    with pytest.raises(Forbidden):
        lock(max_, there)
    with pytest.raises(Forbidden):
        lock(replace(tree.actor, kind=ActorKind.LINK), there)
    with pytest.raises(errors.NotAFile):
        lock(tree.actor, design)
    with pytest.raises(ScopeMissing):
        lock(replace(tree.actor, scopes=frozenset({Scope.FILES_READ})), file)


def test_nobody_locks_more_files_than_they_can_work_on(tree, inner, monkeypatch):
    monkeypatch.setattr(limits, "LOCKS_OF_ONE_LIMIT", 2)
    first, second, third = (tree.file(f"{number}.txt", inner) for number in range(3))
    lock(tree.actor, first)
    lock(tree.actor, second)
    with pytest.raises(errors.TooManyLocks):
        lock(tree.actor, third)
    lock(tree.actor, second, reason="again")
    unlock(tree.actor, first)
    lock(tree.actor, third)
    monkeypatch.setattr(limits, "LOCKS_LIMIT", 2)
    monkeypatch.setattr(limits, "LOCKS_OF_ONE_LIMIT", 9)
    with pytest.raises(errors.TooManyLocks):
        lock(tree.actor, first)


def test_the_holder_unlocks_it_and_again_is_no_error(tree, max_, locked):
    before = last_seq()
    assert unlock(tree.actor, locked) == locked.revision + 1
    assert tree.get(locked).lock is None
    assert unlock(tree.actor, locked) is None
    assert [(kind, told["cause"]) for kind, told in events(before)] == [("files.node.unlocked.v1", "released")]
    lock(max_, locked)


def test_who_manages_the_file_ends_anybodys_lock_and_nobody_else(tree, adam, max_, locked):
    for force in (False, True):
        with pytest.raises(Forbidden if force else errors.NodeLocked):
            unlock(max_, locked, force=force)
    with pytest.raises(errors.NodeLocked):
        unlock(adam, locked)
    before = last_seq()
    unlock(adam, locked, force=True)
    ((_, told),) = events(before)
    assert (told["cause"], told["holder_id"]) == ("forced", str(tree.actor.user_id))
    assert fetch("SELECT actor_id FROM public.events_stream_event ORDER BY seq DESC LIMIT 1") == [(adam.user_id,)]
    Tree(max_).write(tree.get(locked), b"theirs")
    assert_events_tell_all()


def test_a_lock_whose_time_is_over_holds_nothing_at_once_and_is_swept_later(tree, max_, locked):
    with clock.fixed_at(locked.lock.expires_at):
        assert tree.get(locked).lock is None
        assert files.list_children(actor=max_, node_id=locked.parent_id).items[0].lock is None
        Tree(max_).write(tree.get(locked), b"theirs")
        before = last_seq()
        assert (files.sweep_locks(), files.sweep_locks()) == (1, 0)
        ((kind, told),) = events(before)
        assert (kind, told["cause"]) == ("files.node.unlocked.v1", "expired")
        assert fetch("SELECT actor_id FROM public.events_stream_event ORDER BY seq DESC LIMIT 1") == [(None,)]
        assert lock(max_, locked).lock.holder_id == max_.user_id
    assert_events_tell_all()


def test_a_sweep_leaves_locks_that_hold(tree, locked):
    assert files.sweep_locks() == 0
    assert tree.get(locked).lock == locked.lock


def test_locks_of_somebody_who_has_left_end(tree, locked):
    before = last_seq()
    assert (locking.release_all_of(tree.actor.user_id), locking.release_all_of(tree.actor.user_id)) == (1, 0)
    assert events(before)[0][1]["cause"] == "departed"


# --- what it forbids -------------------------------------------------------------------------------------------------------

WRITES = {
    "upload of a version": lambda who, node: upload(who, node, mode="overwrite"),
    "upload of an edit": lambda who, node: upload(
        who, node, mode="update", node_id=node.id, base_version_id=node.version_id
    ),
    "upload by id": lambda who, node: upload(who, node, mode="overwrite", node_id=node.id),
    "rename": lambda who, node: Tree(who).update(node, name="other.txt"),
    "rename in spelling": lambda who, node: Tree(who).update(node, name="PLAN.txt"),
    "time": lambda who, node: Tree(who).update(node, client_modified_at=clock.now()),
    "trash": lambda who, node: Tree(who).trash(node),
    "restored version": lambda who, node: files.restore_version(
        actor=who, node_id=node.id, version_id=_oldest(who, node), restore_id=uuid4(), made_on="x"
    ),
    "deleted version": lambda who, node: files.delete_version(
        actor=who, node_id=node.id, version_id=_oldest(who, node)
    ),
    "move": lambda who, node: Tree(who).update(node, parent_id=_team_of(who, node)),
    "rename of its folder": lambda who, node: Tree(who).update(Tree(who).get(node.parent_id), name="renamed"),
    "move of its folder": lambda who, node: Tree(who).update(
        Tree(who).get(node.parent_id), parent_id=Tree(who).folder("elsewhere", _team_of(who, node), autorename=True).id
    ),
    "trash of its folder": lambda who, node: files.trash_node(actor=who, node_id=node.parent_id),
}


def _oldest(who, node):
    return files.list_versions(actor=who, node_id=node.id).items[-1].id


def _team_of(who, node):
    return files.list_path(actor=who, node_id=node.id).items[0].id


@pytest.mark.parametrize(
    ("who", "what"),
    [*(("editor", what) for what in WRITES if what != "deleted version"), ("administrator", "deleted version")],
)
def test_nobody_else_changes_a_locked_file_or_takes_it_away(tree, adam, max_, file, what, who):
    other = {"editor": max_, "administrator": adam}[who]
    locked = lock(tree.actor, tree.write(file, b"second").node)
    before, seq = fetch("SELECT id, name, parent_id, version_id, revision FROM files_node WHERE kind = 1"), last_seq()
    with pytest.raises(errors.NodeLocked) as refused:
        WRITES[what](other, locked)
    assert (refused.value.facts["node_id"], refused.value.facts["lock"]) == (locked.id, locked.lock)
    assert fetch("SELECT id, name, parent_id, version_id, revision FROM files_node WHERE kind = 1") == before
    assert {kind for kind, _ in events(seq)} <= {"files.folder.created.v1"}
    unlock(adam, locked, force=True)
    WRITES[what](other, tree.get(locked))
    assert_tree_is_sound()
    assert_events_tell_all()


def test_who_has_not_read_the_lock_yet_is_told_of_it_and_not_of_another_revision(max_, file, tree):
    lock(tree.actor, file)
    with pytest.raises(errors.NodeLocked):
        Tree(max_).update(file, name="other.txt")
    with pytest.raises(errors.NodeLocked):
        files.trash_node(actor=max_, node_id=file.id, expected_revision=file.revision)


def test_team_folders_around_it_keep_their_name_and_are_not_ended(adam, design, locked):
    with pytest.raises(errors.NodeLocked):
        files.rename_team_folder(actor=adam, folder_id=design.id, name="Other", expected_revision="any")
    with pytest.raises(errors.NodeLocked):
        files.end_team_folder(actor=adam, folder_id=design.id)


def test_a_commit_that_was_let_in_before_the_lock_is_refused_and_goes_through_afterwards(tree, max_, file):
    for wish in (
        {"mode": "overwrite"},
        {"mode": "update", "node_id": file.id, "base_version_id": None},
    ):
        base = {"base_version_id": file.version_id} if "base_version_id" in wish else {}
        grant_ = upload(max_, file, **{**wish, **base})
        locked, upload_id = lock(tree.actor, file), uuid4()
        with pytest.raises(errors.NodeLocked):
            Tree(max_).commit(grant_, b"new", upload_id=upload_id)
        unlock(tree.actor, locked)
        assert Tree(max_).commit(grant_, grant_.mode.encode(), upload_id=upload_id).node.id == file.id
        file = tree.get(file)


def test_what_several_do_at_once_tells_the_locked_one_alone(tree, max_, inner, locked):
    """A batch goes on with what is free."""
    tree.file("free.txt", inner)
    page = files.apply_to_children(actor=max_, node_id=inner.id, action="trash")
    assert {item.name: (item.done, item.code) for item in page.items} == {
        "free.txt": (True, ""),
        "plan.txt": (False, "files.locked"),
    }
    wishes = [
        UploadWish(parent_id=inner.id, name=name, mode="overwrite", autorename=False, size_bytes=3)
        for name in ("plan.txt", "new.txt")
    ]
    refused, allowed = files.authorise_uploads(actor=max_, wishes=wishes)
    assert (refused.code, allowed.name) == ("files.locked", "new.txt")


def test_nothing_comes_back_from_the_trash_in_the_place_of_a_locked_file(tree, max_, inner, file):
    tree.trash(file)
    lock(tree.actor, tree.file("plan.txt", inner))
    with pytest.raises(errors.NodeLocked):
        Tree(max_).restore(file, on_conflict="replace")
    (outcome,) = files.restore_nodes(actor=max_, node_ids=[file.id], on_conflict="replace")
    assert (outcome.status, outcome.problem["code"]) == (423, "files.locked")
    assert Tree(max_).restore(file, on_conflict="rename").name == "plan (2).txt"


def test_what_came_back_before_its_folder_stays_where_it_is_while_it_is_locked(tree, max_, design, inner, file):
    tree.trash(file)
    tree.trash(inner)
    back = tree.restore(file)
    assert back.parent_id == design.id
    lock(max_, back)
    tree.restore(inner)
    assert tree.get(back).parent_id == design.id
    assert_tree_is_sound()


def test_reading_copies_labels_and_whatever_is_beside_it_stay_allowed(tree, max_, inner, locked):
    assert files.get_content(actor=max_, node_id=locked.id).size_bytes == 3
    assert files.find_visible(actor=max_, node_ids=[locked.id])[locked.id].node.lock == locked.lock
    copy = copies.copy_node(
        actor=max_, node_id=locked.id, copy_id=uuid4(), parent_id=inner.id, name=None, autorename=True, made_on="x"
    )
    assert copy[0].lock is None
    files.update_version(actor=max_, node_id=locked.id, version_id=locked.version_id, label="before")
    Tree(max_).file("plan.txt", inner, autorename=True, content=b"other")
    Tree(max_).folder("beside", inner)
    assert tree.get(locked).lock == locked.lock


def test_the_same_bytes_again_and_the_name_that_it_has_change_nothing(tree, max_, locked):
    assert files.get_node(actor=max_, node_id=locked.id) == Tree(max_).update(locked, name=locked.name)


def test_the_holder_goes_on_working_and_keeps_the_lock(tree, locked):
    node = tree.write(locked, b"second").node
    node = tree.update(node, name="renamed.txt")
    assert node.lock == locked.lock
    assert tree.update(tree.get(locked.parent_id), name="renamed").name == "renamed"
    assert_events_tell_all()


def test_the_holder_trashes_the_file_with_its_folders_and_the_locks_end(tree, adam, inner, locked):
    top = tree.file("top.txt", inner)
    locked_too = lock(tree.actor, top)
    before = last_seq()
    files.trash_node(actor=tree.actor, node_id=top.id, expected_revision=locked_too.revision)
    assert [(kind, told.get("cause")) for kind, told in events(before)] == [
        ("files.node.unlocked.v1", "trashed"),
        ("files.node.trashed.v1", None),
    ]
    tree.trash(inner)
    assert fetch("SELECT count(*) FROM files_node WHERE lock IS NOT NULL") == [(0,)]
    tree.restore(inner)
    assert tree.get(locked).lock is None
    assert_events_tell_all()
    assert_tree_is_sound()


def test_a_lock_deep_below_is_found_and_one_beside_is_not(tree, max_, design, locked):
    outer = tree.folder("outer", design)
    deep = outer
    for number in range(12):
        deep = tree.folder(str(number), deep)
    with pytest.raises(errors.NodeLocked):
        Tree(max_).update(tree.get(locked.parent_id), name="n")
    assert Tree(max_).update(outer, name="free").name == "free"
    lock(tree.actor, tree.file("deep.txt", deep))
    with pytest.raises(errors.NodeLocked):
        Tree(max_).trash(outer)


def test_a_root_is_handed_over_whatever_is_locked_in_it(tree, adam, max_):
    """Its owner has left: nobody could bring what is in it to an end."""
    own = lock(tree.actor, tree.file("own.txt"))
    Tree(adam)
    assert handing_over.hand_over(
        user_id=tree.actor.user_id, name="Mia", successor_id=adam.user_id, by=None, report=lambda _: None
    )
    assert files.get_node(actor=adam, node_id=own.id).lock == own.lock


# --- how many, and at the same time ------------------------------------------------------------------------------------------


def test_locks_cost_lists_and_writes_no_statement_more(tenant, make_actor, counted_queries):
    tree = Tree(make_actor("mia"))
    inner = tree.folder("inner")
    for number in range(20):
        lock(tree.actor, tree.file(f"{number:02}.txt", inner))
    with counted_queries() as listing:
        page = files.list_children(actor=tree.actor, node_id=inner.id)
    assert all(item.lock for item in page.items)
    assert len(listing) <= 3, listing
    allowed = tree.grant("00.txt", inner, mode="overwrite")
    with counted_queries() as writing:
        tree.commit(allowed, b"new")
    assert len(writing) <= 6, writing


@pytest.mark.committed
def test_of_many_who_lock_at_once_one_does(tree, tenant, adam, actor):
    people = [live(replace(actor, user_id=uuid4())) for _ in range(8)]
    team = make_team(adam, "Team", grant("everyone", "editor"))
    people = [filled(one) for one in people]
    file = Tree(filled(tree.actor)).file("a.txt", team)

    def take(number):
        try:
            return lock(people[number], file).lock.holder_id
        except errors.NodeLocked:
            return None

    with crowd(tenant) as all_at_once:
        (holder_id,) = filter(None, all_at_once(take))
    assert tree.get(file).lock.holder_id == holder_id
    assert_events_tell_all()


@pytest.mark.committed
def test_a_commit_and_a_move_at_the_moment_of_a_lock_are_before_it_or_refused(tree, tenant, adam, actor):
    """Nothing of somebody else stands behind the lock in the stream."""
    team = make_team(adam, "Team", grant("everyone", "editor"))
    others = [filled(replace(actor, user_id=uuid4())) for _ in range(7)]
    tree = Tree(filled(tree.actor))
    places = [tree.folder(name, team) for name in ("one", "two")]
    for attempt in range(6):
        file = tree.file(f"{attempt}.txt", places[0])
        grants = [upload(one, file, mode="overwrite", node_id=file.id) for one in others]

        def act(number, file=file, grants=grants, attempt=attempt):
            who = others[number - 1]
            try:
                if number == 0:
                    lock(tree.actor, file)
                elif number == 1:
                    files.update_node(actor=who, node_id=file.id, parent_id=places[1].id, expected_revision="any")
                elif number == 2:
                    files.update_node(actor=who, node_id=places[0].id, name=f"one {attempt}", expected_revision="any")
                else:
                    Tree(who).commit(grants[number - 1], f"{attempt} {number}".encode())
            except (errors.NodeLocked, errors.NameTaken, errors.ParentGone):
                return

        with crowd(tenant) as all_at_once:
            all_at_once(act)
        told = [kind for kind, payload in events() if payload.get("node_id") == str(file.id)]
        assert told[-1] == "files.node.locked.v1"
    assert_tree_is_sound()
    assert_events_tell_all()
