"""Rewinds: of a folder to a moment, of what one actor did, and back again; the tree against photographs taken while it happened."""

import random
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.files import api as files
from apps.files import errors
from apps.files.api import rewinds
from apps.files.api.locks import lock_node
from bitvault.kernel import clock
from bitvault.kernel.actor import PermissionMissing
from bitvault.kernel.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from bitvault.kernel.request import Origin, current_origin, set_origin
from tests.apps.files.conftest import (
    Tree,
    assert_events_tell_all,
    assert_tree_is_sound,
    do_something,
    events,
    fetch,
    last_seq,
)
from tests.apps.files.past import catch_up, photograph

DEVICE = uuid4()


@contextmanager
def on_device(device_id=DEVICE):
    """Act as a device does that says who it is."""
    before = current_origin()
    set_origin(Origin(device_id=device_id))
    try:
        yield
    finally:
        set_origin(before)


def carry_out(rewind, limit=7):
    """What the job does, in small portions."""
    position = done = 0
    turn = 0
    while True:
        batch = rewinds.apply_rewind_batch(
            rewind_id=rewind.id, user_id=fetch_requester(rewind), after=position, limit=limit
        )
        turn += batch.settled_count
        if batch.position is None:
            if not turn:
                break
            done, position, turn = done + turn, 0, 0
        else:
            position = batch.position
    return rewinds.finish_rewind(rewind_id=rewind.id)


def fetch_requester(rewind):
    return fetch("SELECT requested_by FROM files_rewind WHERE id = %s", [rewind.id])[0][0]


def plan(actor, folder=None, since=None, **more):
    catch_up()
    return rewinds.plan_rewind(actor=actor, folder_id=folder and folder.id, since=str(since), **more)


def run(actor, rewind):
    rewinds.start_rewind(actor=actor, rewind_id=rewind.id)
    outcome = carry_out(rewind)
    assert_tree_is_sound()
    return outcome


def undo(actor, rewind):
    catch_up()
    back = rewinds.plan_undo(actor=actor, rewind_id=rewind.id)
    run(actor, back)
    return back


def items(actor, rewind, **more):
    return {item.path: item for item in rewinds.list_rewind_items(actor=actor, rewind_id=rewind.id, **more).items}


def reasons(actor, rewind):
    return {path: item.reason for path, item in items(actor, rewind, outcome="kept").items()}


@pytest.fixture
def work(tree):
    """A folder with two files and a folder in it."""
    work = tree.folder("work")
    tree.file("a.txt", work, b"a")
    tree.file("b.txt", work, b"b")
    tree.file("c.txt", tree.folder("deep", work), b"c")
    return work


# --- a folder to a moment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_is_as_it_was_whatever_happened_to_it(tree, seed):
    chance = random.Random(seed)
    live(tree, chance, 80)
    before, seq = photograph(tree.root.id), last_seq()
    live(tree, chance, 80, purging=False)
    changed = photograph(tree.root.id)
    rewind = plan(tree.actor, tree.root, seq)
    assert photograph(tree.root.id) == changed, "a plan changes nothing"
    run(tree.actor, rewind)
    after = rewinds.get_rewind(actor=tree.actor, rewind_id=rewind.id)
    assert photograph(tree.root.id) == before, (after.counts, reasons(tree.actor, rewind))
    assert after.state == "done"
    assert_events_tell_all()
    undo(tree.actor, rewind)
    assert photograph(tree.root.id) == changed
    assert_events_tell_all()


def live(tree, chance, steps, *, purging=True):
    for _ in range(steps):
        try:
            do_something(tree, chance, locks=False) if purging else do_something_lasting(tree, chance)
        except (Conflict, Invalid, PreconditionFailed, NotFound, Forbidden):
            continue


def do_something_lasting(tree, chance):
    """Something at random that can be taken back: nothing is purged, no version is deleted."""
    nodes = fetch("SELECT id, kind, name FROM files_node WHERE owner_user_id IS NULL ORDER BY id")
    folders = [tree.root.id, *(node_id for node_id, kind, _ in nodes if kind == 0)]
    node_id = chance.choice(nodes)[0] if nodes else tree.root.id
    match chance.randrange(8):
        case 0:
            tree.folder(f"f{chance.randrange(5)}", chance.choice(folders))
        case 1 | 2:
            tree.file(
                f"a{chance.randrange(5)}.txt", chance.choice(folders), b"%d" % chance.randrange(99), mode="overwrite"
            )
        case 3:
            files.update_node(
                actor=tree.actor, node_id=node_id, parent_id=chance.choice(folders), expected_revision="any"
            )
        case 4:
            files.update_node(
                actor=tree.actor, node_id=node_id, name=f"f{chance.randrange(5)}", expected_revision="any"
            )
        case 5:
            files.trash_node(actor=tree.actor, node_id=node_id)
        case 6:
            trash = files.list_trash(actor=tree.actor).items
            if trash:
                files.restore_node(actor=tree.actor, node_id=chance.choice(trash).id, on_conflict="rename")
        case _:
            versions = fetch("SELECT node_id, id FROM files_version ORDER BY id")
            if versions:
                file_id, version_id = chance.choice(versions)
                files.restore_version(
                    actor=tree.actor, node_id=file_id, version_id=version_id, restore_id=uuid4(), made_on="web"
                )


def test_names_that_were_exchanged_in_a_circle_come_back(tree, work):
    before, seq = photograph(work.id), last_seq()
    nodes = [before[path][1] for path in ("/a.txt", "/b.txt", "/deep")]
    for number, node_id in enumerate(nodes):
        files.update_node(actor=tree.actor, node_id=node_id, name=f"tmp {number}", expected_revision="any")
    for node_id, name in zip(nodes, ("b.txt", "deep", "a.txt"), strict=True):
        files.update_node(actor=tree.actor, node_id=node_id, name=name, expected_revision="any")
    for limit in (1, 7):  # one by one, and all in one transaction
        changed = photograph(work.id)
        rewind = plan(tree.actor, work, seq)
        rewinds.start_rewind(actor=tree.actor, rewind_id=rewind.id)
        carry_out(rewind, limit=limit)
        assert photograph(work.id) == before
        assert_tree_is_sound()
        undo(tree.actor, rewind)
        assert photograph(work.id) == changed


def test_a_plan_says_what_changes_and_what_cannot_come_back(tree, work):
    seq = last_seq()
    a, b = (photograph(work.id)[path][1] for path in ("/a.txt", "/b.txt"))
    tree.write(tree.get(a), b"encrypted")
    tree.update(tree.get(a), name="a.locked")
    tree.trash(tree.get(b))
    files.purge_node(actor=tree.actor, node_id=b)
    tree.file("READ ME.txt", work)
    rewind = plan(tree.actor, work, seq)
    assert rewind.state == "planned"
    told = items(tree.actor, rewind)
    assert {path: (item.changes, item.outcome, item.reason) for path, item in told.items()} == {
        "/READ ME.txt": (["trash"], "pending", ""),
        "/a.txt": (["move", "content"], "pending", ""),
        "/b.txt": ([], "kept", "purged"),
    }
    assert (rewind.counts.total, rewind.counts.content, rewind.counts.move, rewind.counts.trash) == (2, 1, 1, 1)
    assert rewind.counts.reasons == {"purged": 1}
    assert rewind.size_bytes == 1
    run(tree.actor, rewind)
    assert set(photograph(work.id)) == {"/a.txt", "/deep", "/deep/c.txt"}
    assert [item.name for item in files.list_trash(actor=tree.actor).items] == ["READ ME.txt"]


def test_all_changes_are_ordinary_events_between_two_of_the_rewinds_own(tree, work):
    seq = last_seq()
    a = photograph(work.id)["/a.txt"][1]
    tree.write(tree.get(a), b"new")
    rewind = plan(tree.actor, work, seq)
    before = last_seq()
    run(tree.actor, rewind)
    told = [kind for kind, _ in events(after=before)]
    assert told == ["files.rewind.started.v1", "files.version.committed.v1", "files.rewind.finished.v1"]
    by_request = fetch(
        "SELECT type FROM public.events_stream_event WHERE request_id = %s ORDER BY seq", [str(rewind.id)]
    )
    assert [row[0] for row in by_request] == ["files.version.committed.v1"]
    assert fetch("SELECT made_on FROM files_version WHERE node_id = %s ORDER BY id DESC LIMIT 1", [a]) == [("rewind",)]


def test_what_changed_since_the_plan_is_kept_and_said_so(tree, work):
    seq = last_seq()
    a, b = (photograph(work.id)[path][1] for path in ("/a.txt", "/b.txt"))
    new = tree.folder("new", work)
    for node_id in (a, b):
        tree.write(tree.get(node_id), b"bad")
    rewind = plan(tree.actor, work, seq)
    tree.write(tree.get(a), b"good, written meanwhile")
    tree.file("mine.txt", new)
    run(tree.actor, rewind)
    assert reasons(tree.actor, rewind) == {"/a.txt": "changed_meanwhile", "/new": "holds_others"}
    assert {"/new", "/new/mine.txt"} <= set(photograph(work.id))
    with pytest.raises(errors.RewindOver):
        rewinds.start_rewind(actor=tree.actor, rewind_id=rewind.id)


def test_a_name_that_somebody_has_taken_meanwhile_is_kept_beside(tree, work):
    seq = last_seq()
    a = photograph(work.id)["/a.txt"][1]
    tree.trash(tree.get(a))
    rewind = plan(tree.actor, work, seq)
    tree.file("a.txt", work, b"another")
    run(tree.actor, rewind)
    after = photograph(work.id)
    assert after["/a (2).txt"][1] == a
    assert "/a.txt" in after


def test_a_version_that_is_gone_is_said_and_the_rest_is_done(tree, work):
    seq = last_seq()
    node = tree.get(photograph(work.id)["/a.txt"][1])
    tree.write(node, b"bad")
    tree.update(tree.get(node), name="bad.txt")
    files.delete_version(actor=tree.actor, node_id=node.id, version_id=node.version_id)
    rewind = plan(tree.actor, work, seq)
    (item,) = items(tree.actor, rewind).values()
    assert (item.changes, item.reason) == (["move"], "version_gone")
    run(tree.actor, rewind)
    assert "/a.txt" in photograph(work.id)


def test_what_somebody_else_has_locked_is_kept_and_said_so(tree, make_actor):
    adam = make_actor("adam")
    theirs, team = Tree(adam), files.create_team_folder(actor=adam, name="Team")
    shut = theirs.file("shut.txt", theirs.folder("deep", team), b"one")
    free = theirs.file("free.txt", team, b"one")
    seq = last_seq()
    for node in (shut, free):
        theirs.write(node, b"two")
    theirs.update(theirs.get(shut.parent_id), name="renamed")
    lock_node(actor=adam, node_id=shut.id)
    rewind = plan(make_actor("olga"), team, seq)
    run(make_actor("olga"), rewind)
    assert reasons(make_actor("olga"), rewind) == {"/deep": "locked", "/deep/shut.txt": "locked"}
    assert photograph(team.id)["/free.txt"][2] == free.content_hash


# --- what one actor did ----------------------------------------------------------------------------------------------------


def test_what_a_device_did_is_undone_and_what_others_did_later_stays(tree, work):
    begun = last_seq()
    before = photograph(work.id)
    a, b, c = (before[path][1] for path in ("/a.txt", "/b.txt", "/deep/c.txt"))
    with on_device():
        for node_id in (a, b, c):
            tree.write(tree.get(node_id), b"encrypted")
            tree.update(tree.get(node_id), name=f"{node_id.hex}.locked")
        tree.file("RANSOM.txt", work)
    tree.write(tree.get(b), b"repaired by hand")
    kept = tree.file("mine.txt", work)
    rewind = plan(tree.actor, work, begun, by_kind="device", by_id=DEVICE)
    run(tree.actor, rewind)
    after = photograph(work.id)
    assert {path: after[path] for path in ("/a.txt", "/deep", "/deep/c.txt")} == {
        path: before[path] for path in ("/a.txt", "/deep", "/deep/c.txt")
    }
    assert after["/b.txt"][2] != before["/b.txt"][2], "the repaired content stays, under its old name"
    assert after["/mine.txt"][1] == kept.id
    assert set(after) == {*before, "/mine.txt"}


def test_an_interval_ends_where_it_says(tree, work):
    begun = last_seq()
    with on_device():
        tree.file("within.txt", work)
        until = last_seq()
        tree.file("behind.txt", work)
    rewind = plan(tree.actor, work, begun, until=str(until), by_kind="device", by_id=DEVICE)
    assert set(items(tree.actor, rewind)) == {"/within.txt"}


def test_an_edit_of_others_between_two_of_the_devices_comes_back(tree, work):
    begun = last_seq()
    a = photograph(work.id)["/a.txt"][1]
    with on_device():
        tree.write(tree.get(a), b"encrypted")
    tree.write(tree.get(a), b"written by hand")
    by_hand = photograph(work.id)
    with on_device():
        tree.write(tree.get(a), b"encrypted again")
    run(tree.actor, plan(tree.actor, work, begun, by_kind="device", by_id=DEVICE))
    assert photograph(work.id) == by_hand


def test_an_undo_puts_into_a_folder_what_lay_there_before_the_folder_goes_into_the_trash_again(tree, work):
    box = tree.folder("box")
    inner = tree.folder("inner", box)
    a = photograph(work.id)["/a.txt"][1]
    begun = last_seq()
    with on_device():
        tree.update(tree.get(a), parent_id=inner.id)
        tree.trash(box)
    changed = photograph(tree.root.id)
    rewind = plan(tree.actor, tree.root, begun, by_kind="device", by_id=DEVICE)
    run(tree.actor, rewind)
    assert "/a.txt" in photograph(work.id)
    undo(tree.actor, rewind)
    assert photograph(tree.root.id) == changed


def test_what_others_put_into_the_trash_stays_there(tree, work):
    box = tree.folder("box")
    a = photograph(work.id)["/a.txt"][1]
    begun = last_seq()
    with on_device():
        tree.update(tree.get(a), parent_id=box.id)
    tree.trash(box)
    changed = photograph(tree.root.id)
    rewind = plan(tree.actor, tree.root, begun, by_kind="device", by_id=DEVICE)
    run(tree.actor, rewind)
    assert photograph(tree.root.id) == changed


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_the_others_edits_survive_whatever_both_did(tree, seed):
    chance = random.Random(seed)
    live(tree, chance, 25)
    catch_up()
    begun = last_seq()
    for _ in range(6):
        live(tree, chance, 3, purging=False)
        with on_device():
            live(tree, chance, 3, purging=False)
    changed = photograph(tree.root.id)
    rewind = plan(tree.actor, tree.root, begun, by_kind="device", by_id=DEVICE)
    run(tree.actor, rewind)
    after = photograph(tree.root.id)
    contents = {node_id: content for _, node_id, content in changed.values()}
    for node_id in list_last_written_by_others(begun):
        live_now = {found: content for _, found, content in after.values()}
        if node_id in live_now and node_id in contents:
            assert live_now[node_id] == contents[node_id]
    assert_events_tell_all()
    undo(tree.actor, rewind)
    assert photograph(tree.root.id) == changed


def list_last_written_by_others(begun):
    """Files whose present content comes from nobody's device, written since."""
    rows = fetch(
        """
        SELECT DISTINCT ON (payload->>'node_id') (payload->>'node_id')::uuid, device_id FROM public.events_stream_event
        WHERE type = 'files.version.committed.v1' AND seq > %s AND request_id IS NULL ORDER BY payload->>'node_id', seq DESC
        """,
        [begun],
    )
    return [node_id for node_id, device_id in rows if device_id is None]


# --- who may ---------------------------------------------------------------------------------------------------------------


def test_who_does_not_manage_a_folder_rewinds_nothing(tree, work, make_actor):
    seq = last_seq()
    tree.file("new.txt", work)
    catch_up()
    for actor in (make_actor("vera"), make_actor("adam")):
        with pytest.raises(NotFound):
            rewinds.plan_rewind(actor=actor, folder_id=work.id, since=str(seq))
    with pytest.raises(PermissionMissing):
        rewinds.plan_rewind(actor=tree.actor, folder_id=None, since=str(seq), by_kind="user", by_id=tree.actor.user_id)
    rewind = rewinds.plan_rewind(actor=tree.actor, folder_id=work.id, since=str(seq))
    with pytest.raises(NotFound):
        rewinds.get_rewind(actor=make_actor("adam"), rewind_id=rewind.id)


def test_an_administrator_undoes_what_somebody_did_where_they_manage_and_learns_how_much_is_hidden(
    tree, work, make_actor
):
    adam = make_actor("adam")
    team = files.create_team_folder(actor=adam, name="Team")
    theirs = Tree(adam)
    file = theirs.file("plan.txt", team, b"plan")
    begun = last_seq()
    with on_device():
        theirs.write(theirs.get(file), b"encrypted")
        tree.file("private.txt", work)
    rewind = plan(adam, None, begun, by_kind="device", by_id=DEVICE)
    assert set(items(adam, rewind)) == {"/plan.txt"}
    assert rewind.hidden_count == 1
    run(adam, rewind)
    assert photograph(team.id)["/plan.txt"][2] == file.content_hash
    assert "/private.txt" in photograph(work.id)


def test_what_was_taken_out_of_ones_reach_is_listed_without_a_name_and_not_touched(tree, make_actor):
    adam = make_actor("adam")
    theirs, team = Tree(adam), files.create_team_folder(actor=adam, name="Team")
    file = theirs.file("plan.txt", team)
    seq = last_seq()
    # Whoever manages may take something out of a team folder into their own root.
    files.update_node(actor=adam, node_id=file.id, parent_id=theirs.root.id, expected_revision="any")
    olga = make_actor("olga")
    rewind = plan(olga, team, seq)
    (item,) = rewinds.list_rewind_items(actor=olga, rewind_id=rewind.id).items
    assert (item.name, item.path, item.outcome, item.reason) == ("", "", "kept", "forbidden")
    run(olga, rewind)
    assert "/plan.txt" in photograph(theirs.root.id)


def test_wishes_that_are_none_are_refused(tree, work):
    for wish in (
        {"by_kind": "device"},
        {"until": "1"},
        {"by_id": DEVICE},
        {"by_kind": "rewind", "by_id": DEVICE},
        {"folder_id": None},
    ):
        with pytest.raises(errors.RewindUnfit):
            rewinds.plan_rewind(**{"actor": tree.actor, "folder_id": work.id, "since": "1", **wish})
    tree.file("new.txt", work)
    with pytest.raises(errors.HistoryBehind):
        rewinds.plan_rewind(actor=tree.actor, folder_id=work.id, since=str(last_seq()))
    rewind = plan(tree.actor, work, last_seq())
    with pytest.raises(errors.RewindNotBegun):
        rewinds.plan_undo(actor=tree.actor, rewind_id=rewind.id)


def test_a_batch_costs_the_same_however_much_it_changes(tree, work, counted_queries):
    counts = []
    for number in (3, 60):
        made = [tree.file(f"{number} {n}.txt", work) for n in range(number)]
        seq = last_seq()
        for node in made:
            tree.update(tree.write(node, b"bad").node, name=f"{node.name}.locked")
        rewind = plan(tree.actor, work, seq)
        rewinds.start_rewind(actor=tree.actor, rewind_id=rewind.id)
        with counted_queries() as statements:
            rewinds.apply_rewind_batch(rewind_id=rewind.id, user_id=tree.actor.user_id, after=0)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 20, statements


def survey(actor, folder):
    """Who changed something in the last hour, and how much."""
    since = (clock.now() - timedelta(hours=1)).isoformat()
    found = rewinds.list_rewind_actors(actor=actor, folder_id=folder.id, since=since).items
    return {(one.kind, one.person_name): one.change_count for one in found}


@pytest.mark.usefixtures("tenant")
def test_who_manages_a_folder_is_told_who_changed_what_when(make_actor):
    adam, olga, mia = make_actor("adam"), make_actor("olga"), make_actor("mia")
    team = files.create_team_folder(actor=adam, name="Team")
    admin, member = Tree(adam), Tree(olga)
    work, other = admin.folder("work", team.id), admin.folder("other", team.id)
    file = member.file("a.txt", work)
    with on_device():
        member.update(file, name="b.txt", expected_revision="any")
        member.update(file, parent_id=other.id, expected_revision="any")
    member.file("elsewhere.txt", other)
    catch_up()
    assert survey(adam, work) == {("user", "Olga"): 3, ("device", "Olga"): 2}
    assert survey(adam, other) == {("user", "Olga"): 2, ("device", "Olga"): 1}
    days = rewinds.list_changed_days(actor=adam, folder_id=work.id, days=3, zone="Europe/Berlin")
    assert [one.change_count for one in days.items] == [0, 0, 3]
    today = days.items[-1].day
    (moment,) = rewinds.list_changed_moments(actor=adam, folder_id=work.id, day=today, zone="Europe/Berlin").items
    assert (moment.person_name, moment.change_count) == ("Olga", 3)
    (moment,) = rewinds.list_changed_moments(actor=adam, folder_id=other.id, day=today, zone="Europe/Berlin").items
    back = rewinds.plan_rewind(actor=adam, folder_id=other.id, since=moment.before)
    assert (back.counts.total, back.counts.trash) == (2, 1)
    tomorrow = today + timedelta(days=1)
    assert rewinds.list_changed_moments(actor=adam, folder_id=work.id, day=tomorrow).items == ()
    for ask in (
        lambda: survey(mia, work),
        lambda: rewinds.list_changed_days(actor=mia, folder_id=work.id),
        lambda: rewinds.list_changed_moments(actor=mia, folder_id=work.id, day=today),
    ):
        with pytest.raises(NotFound):
            ask()
    for zone in ("Nowhere/Land", "../etc", ""):
        with pytest.raises(errors.BadMoment):
            rewinds.list_changed_days(actor=adam, folder_id=work.id, zone=zone)


def test_a_survey_costs_the_same_however_many_changed_something(tree, work, counted_queries):
    catch_up()
    survey(tree.actor, work)
    with counted_queries() as few:
        survey(tree.actor, work)
    for number in range(20):
        tree.file(f"{number}.md", work)
    catch_up()
    with counted_queries() as many:
        survey(tree.actor, work)
    assert len(many) == len(few)
