"""What must hold when many do it at once, with real threads and real commits."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from apps.files import api as files
from apps.files import errors
from bitvault.kernel import tenancy
from tests.apps.files.conftest import Tree, assert_events_tell_all, assert_tree_is_sound, fetch, live_a_little

pytestmark = pytest.mark.committed

WORKERS = 8


@contextmanager
def crowd(tenant, workers=WORKERS):
    """Threads that begin together, each with a connection of its own that is closed in the end."""
    barrier = Barrier(workers)

    def run(act, number):
        try:
            with tenancy.entered(tenant):
                barrier.wait()
                return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        yield lambda act: [future.result() for future in [pool.submit(run, act, number) for number in range(workers)]]


def outcome(act):
    """Whether a door let somebody in, or the code by which it refused."""
    try:
        act()
    except (errors.MoveCycle, errors.NameTaken, errors.RevisionMismatch, errors.ParentGone) as refused:
        return refused.code
    return "done"


def test_moves_against_each_other_never_lose_a_node(tree, tenant):
    folders = [tree.folder(str(number)) for number in range(12)]

    def move_about(number):
        chance = random.Random(number)
        results = []
        for _ in range(40):
            node, target = chance.sample(folders, 2)
            results.append(
                outcome(
                    lambda node=node, target=target: files.update_node(
                        actor=tree.actor, node_id=node.id, parent_id=target.id, expected_revision="any"
                    )
                )
            )
        return results

    with crowd(tenant) as all_at_once:
        results = [result for one in all_at_once(move_about) for result in one]
    assert set(results) == {"done", "files.move_cycle"}
    assert_tree_is_sound()
    assert fetch("SELECT count(*) FROM files_node") == [(13,)]


def test_of_twenty_changes_with_one_etag_one_wins(tree, tenant):
    file = tree.file("a.txt")
    with crowd(tenant, 20) as all_at_once:
        results = all_at_once(
            lambda number: outcome(lambda: tree.update(file, name=f"{number}.txt", expected_revision=1))
        )
    assert sorted(results) == ["done", *["files.revision_mismatch"] * 19]
    assert tree.get(file).revision == 2


def test_of_many_uploads_of_one_name_one_wins(tree, tenant):
    grants = [tree.grant("a.txt") for _ in range(WORKERS)]
    with crowd(tenant) as all_at_once:
        results = all_at_once(lambda number: outcome(lambda: tree.commit(grants[number], b"%d" % number)))
    assert sorted(results) == ["done", *["files.name_taken"] * (WORKERS - 1)]
    assert tree.names() == ["a.txt"]
    assert_tree_is_sound()


def test_many_uploads_that_may_be_renamed_all_get_a_name(tree, tenant):
    grants = [tree.grant("a.txt", autorename=True) for _ in range(WORKERS)]
    with crowd(tenant) as all_at_once:
        all_at_once(lambda number: tree.commit(grants[number], b"%d" % number))
    assert sorted(tree.names()) == sorted(["a.txt", *(f"a ({number}).txt" for number in range(2, WORKERS + 1))])
    assert_tree_is_sound()


def test_of_many_updates_from_one_version_one_wins_and_the_others_are_kept_beside_it(tree, tenant):
    file = tree.file("a.txt", content=b"base")
    grants = [tree.grant("a.txt", mode="update", base_version_id=file.version_id) for _ in range(WORKERS)]
    contents = [b"edit %d" % number for number in range(WORKERS)]
    with crowd(tenant) as all_at_once:
        done = all_at_once(lambda number: tree.commit(grants[number], contents[number]))
    assert [one.node.id == file.id for one in done].count(True) == 1
    assert len({one.node.content_hash for one in done}) == WORKERS
    assert len(tree.names()) == WORKERS
    assert_tree_is_sound()


@pytest.mark.parametrize("mode", ["add", "overwrite"])
def test_one_upload_committed_many_times_at_once_has_its_effect_once(tree, tenant, mode):
    if mode == "overwrite":
        tree.file("a.txt", content=b"base")
    grant, upload_id = tree.grant("a.txt", mode=mode), uuid4()
    with crowd(tenant) as all_at_once:
        done = all_at_once(lambda _: tree.commit(grant, b"new", upload_id=upload_id))
    assert [one.created for one in done].count(True) == 1
    assert len({one.node.version_id for one in done}) == 1
    assert fetch("SELECT count(*) FROM files_version WHERE upload_id = %s", [upload_id]) == [(1,)]


def test_one_root_is_made_however_many_ask_first(tenant, make_actor):
    olga = make_actor("olga")
    with crowd(tenant) as all_at_once:
        roots = all_at_once(lambda _: files.get_node(actor=olga, node_id="root").id)
    assert len(set(roots)) == 1


def test_whatever_happens_at_once_the_tree_stays_sound_and_the_stream_tells_all_of_it(tree, tenant):
    for number in range(6):
        tree.file("base.txt", tree.folder(f"start{number}"))
    with crowd(tenant) as all_at_once:
        all_at_once(lambda number: live_a_little(Tree(tree.actor), random.Random(number), 30))
    assert_tree_is_sound()
    assert_events_tell_all()
    ((first, last, count),) = fetch("SELECT min(seq), max(seq), count(*) FROM public.events_stream_event")
    assert last - first + 1 == count
    files.empty_trash(actor=tree.actor)
    assert_tree_is_sound()
    assert_events_tell_all()


def test_of_many_administrators_at_once_one_makes_the_name_and_one_changes_the_folder(tree, tenant, make_actor):
    adam = make_actor("adam")
    with crowd(tenant) as all_at_once:
        made = all_at_once(lambda _: outcome(lambda: files.create_team_folder(actor=adam, name="Design")))
    assert sorted(made) == ["done", *["files.name_taken"] * (WORKERS - 1)]
    (team,) = files.list_team_folders(actor=adam).items

    def change(number):
        facts = {"name": f"Design {number}", "expected_revision": team.revision}
        return outcome(lambda: files.rename_team_folder(actor=adam, folder_id=team.id, **facts))

    with crowd(tenant) as all_at_once:
        changed = all_at_once(change)
    assert sorted(changed) == ["done", *["files.revision_mismatch"] * (WORKERS - 1)]
    assert_events_tell_all()
