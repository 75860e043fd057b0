"""Snapshots of larger trees: shared by devices that see the same, made once, by a job where the tree is large, and few for one person."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from apps.sync import api as sync
from apps.sync import obtaining, snapshots
from apps.sync.errors import SnapshotBeingMade, SnapshotFailed
from apps.sync.snapshots import Extent
from bitvault.jobs.models import Job
from bitvault.kernel import clock, tenancy
from bitvault.kernel.errors import TooManyRequests
from tests.apps.files.conftest import fetch
from tests.apps.sync.following import Device, fresh_tree, project
from tests.jobs.conftest import desk

__all__ = ["desk"]

pytestmark = pytest.mark.committed


@pytest.fixture
def larger(monkeypatch):
    """Let a tree of a few nodes be one whose snapshot is shared."""
    monkeypatch.setattr(obtaining, "SMALL_NODES", 2)


@pytest.fixture
def large(larger, monkeypatch):
    """Let a tree of a few nodes be one whose snapshot a job makes."""
    monkeypatch.setattr(obtaining, "LARGE_NODES", 4)


@pytest.fixture
def grown(tree):
    for name in "abcdef":
        tree.folder(name)
    project()
    return tree


def count_snapshots():
    return fetch("SELECT count(*) FROM sync_snapshot")[0][0]


def register(actor, name="laptop"):
    return sync.register_device(actor=actor, name=name, platform="test").id


def read_whole(actor, device_id, *, limit=3, **more):
    """Read a snapshot to its end; returns its nodes by id and the number that it is as of."""
    nodes, page = {}, None
    while page is None or page.next_cursor is not None:
        page = sync.list_snapshot(
            actor=actor, device_id=device_id, cursor=page and page.next_cursor, limit=limit, **more
        )
        nodes |= {node.id: node for node in page.items}
    return nodes, page.as_of_seq


def test_a_hundred_devices_of_one_person_make_one_snapshot(grown, larger):
    whole = set(fresh_tree(grown.actor))
    for number in range(100):
        assert set(read_whole(grown.actor, register(grown.actor, f"{number}"))[0]) == whole
    assert count_snapshots() == 1


def test_of_devices_that_ask_at_the_same_moment_one_makes_it_and_the_others_wait(grown, larger, acme):
    devices, found = [register(grown.actor, f"{number}") for number in range(6)], []
    start = threading.Barrier(len(devices))

    def ask(device_id):
        try:
            with tenancy.entered(acme):
                start.wait()
                found.append(read_whole(grown.actor, device_id)[1])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=[device_id]) for device_id in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(devices)
    assert count_snapshots() == 1


def test_a_small_tree_is_told_as_of_now(grown):
    read_whole(grown.actor, register(grown.actor))
    late = grown.folder("late")
    project()
    assert late.id in read_whole(grown.actor, register(grown.actor))[0]


def test_a_shared_one_may_be_a_minute_old_and_the_feed_makes_up_for_it(grown, larger):
    read_whole(grown.actor, register(grown.actor))
    first = Device(grown.actor)
    late = grown.folder("late")
    project()
    first.cursor = None
    first.take_snapshot()
    assert late.id not in first.nodes
    first.follow()
    assert first.nodes == fresh_tree(grown.actor)
    with clock.fixed_at(clock.now() + 2 * obtaining.SHARED_FOR):
        assert late.id in read_whole(grown.actor, register(grown.actor))[0]


def test_one_that_is_true_still_is_shared_whatever_its_age(grown, larger):
    read_whole(grown.actor, register(grown.actor))
    with clock.fixed_at(clock.now() + timedelta(hours=5)):
        read_whole(grown.actor, register(grown.actor))
    # Registering a device is an event, which moves the feed once it is projected.
    assert count_snapshots() == 1


def test_it_is_never_older_than_what_the_caller_asks_for(grown, larger):
    read_whole(grown.actor, register(grown.actor))
    late = grown.folder("late")
    project()
    head = sync.get_head(actor=grown.actor)
    nodes, as_of_seq = read_whole(grown.actor, register(grown.actor), min_seq=head)
    assert late.id in nodes
    assert as_of_seq >= head


def test_it_is_never_older_than_what_the_device_has_acknowledged(grown, larger):
    device = Device(grown.actor)
    device.follow()
    read_whole(grown.actor, register(grown.actor))
    late = grown.folder("late")
    project()
    device.follow()
    sync.acknowledge(actor=grown.actor, cursor=device.cursor)
    assert late.id in read_whole(grown.actor, device.id)[0]


def test_a_device_that_gains_a_root_misses_nothing_of_what_happened_after_its_position(grown, larger):
    """A snapshot from before the device's position would lack what the journal told in between and tells no more."""
    read_whole(grown.actor, register(grown.actor))
    late = grown.folder("late")
    project()
    newcomer = Device(grown.actor)
    newcomer.follow()
    assert late.id in newcomer.nodes
    assert newcomer.nodes == fresh_tree(grown.actor)


def test_who_sees_other_roots_or_has_other_rights_shares_nothing(grown, larger, make_actor):
    ours = Extent({grown.root.id: 3}, {})
    others = [Extent({grown.root.id: 2}, {}), Extent({}, {}), Extent({grown.root.id: 3}, {grown.root.id: 3})]
    assert ours.digest not in {other.digest for other in others}
    vera = make_actor("vera")
    theirs = read_whole(vera, register(vera))[0]
    read_whole(grown.actor, register(grown.actor))
    assert not set(theirs) & set(fresh_tree(grown.actor))


def test_another_epoch_takes_another_one(grown, larger):
    read_whole(grown.actor, register(grown.actor))
    sync.begin_epoch()
    read_whole(grown.actor, register(grown.actor))
    assert count_snapshots() == 2


def test_so_many_are_made_for_one_person_and_then_the_time_is_told(grown, larger, make_actor):
    device_id = register(grown.actor)
    for number in range(obtaining.MADE_LIMIT):
        grown.folder(f"n{number}")
        project()
        read_whole(grown.actor, device_id, min_seq=sync.get_head(actor=grown.actor))
    grown.folder("one more")
    project()
    with pytest.raises(TooManyRequests) as refused:
        sync.list_snapshot(actor=grown.actor, device_id=device_id, min_seq=sync.get_head(actor=grown.actor))
    assert 3500 < refused.value.retry_after_seconds <= 3601
    read_whole(grown.actor, device_id)
    with clock.fixed_at(clock.now() + obtaining.MADE_WITHIN + timedelta(seconds=1)):
        read_whole(grown.actor, device_id, min_seq=sync.get_head(actor=grown.actor))


def test_one_in_use_is_kept_whatever_came_after_it_and_one_that_nobody_reads_is_dropped(grown, larger):
    device_id = register(grown.actor)
    reading = sync.list_snapshot(actor=grown.actor, device_id=device_id, limit=1)
    for number in range(snapshots.KEPT_COUNT + 1):
        grown.folder(f"n{number}")
        project()
        read_whole(grown.actor, device_id, min_seq=sync.get_head(actor=grown.actor))
    sync.list_snapshot(actor=grown.actor, device_id=device_id, cursor=reading.next_cursor, limit=1)
    assert count_snapshots() == snapshots.KEPT_COUNT + 2
    with clock.fixed_at(clock.now() + 2 * snapshots.IN_USE):
        grown.folder("late")
        project()
        read_whole(grown.actor, device_id, min_seq=sync.get_head(actor=grown.actor))
    assert count_snapshots() == snapshots.KEPT_COUNT


def test_the_day_counts_from_the_last_page_that_was_read(grown, larger):
    device_id = register(grown.actor)
    page, now = sync.list_snapshot(actor=grown.actor, device_id=device_id, limit=1), clock.now()
    for hours in (20, 40, 60):
        with clock.fixed_at(now + timedelta(hours=hours)):
            assert snapshots.sweep() == 0
            page = sync.list_snapshot(actor=grown.actor, device_id=device_id, cursor=page.next_cursor, limit=1)
    with clock.fixed_at(now + timedelta(hours=85)):
        assert snapshots.sweep() == 1


# --- large trees -------------------------------------------------------------------------------------------------------------


def test_a_large_tree_is_made_by_one_job_and_whoever_asks_again_has_it(grown, large, desk):
    devices = [register(grown.actor, f"{number}") for number in range(3)]
    for device_id in devices * 2:
        with pytest.raises(SnapshotBeingMade) as told:
            sync.list_snapshot(actor=grown.actor, device_id=device_id)
        assert told.value.facts["job_id"] == Job.objects.get().pk
    assert desk.run("bulk") == 1
    for device_id in devices:
        assert set(read_whole(grown.actor, device_id)[0]) == set(fresh_tree(grown.actor))
    assert count_snapshots() == 1
    assert desk.row(Job.objects.get()).state == "done"


def test_what_happened_while_it_was_made_does_not_send_the_device_away_again(grown, large, desk):
    device_id = register(grown.actor)
    with pytest.raises(SnapshotBeingMade):
        sync.list_snapshot(actor=grown.actor, device_id=device_id)
    desk.run("bulk")
    grown.folder("late")
    project()
    with clock.fixed_at(clock.now() + timedelta(minutes=10)):
        read_whole(grown.actor, device_id)


def test_a_device_that_is_new_follows_the_feed_of_a_large_tree(grown, large, desk):
    device = Device(grown.actor)
    with pytest.raises(SnapshotBeingMade):
        device.follow()
    desk.run("bulk")
    device.follow()
    assert device.nodes == fresh_tree(grown.actor)


def test_over_rest_it_is_202_with_the_time_to_wait(grown, large, desk, api):
    device_id = register(grown.actor)
    answer = api("mia").get("/sync/snapshot", device_id=str(device_id))
    assert (answer.status_code, answer.json()["code"]) == (202, "sync.snapshot_being_made")
    assert int(answer["Retry-After"]) >= 1
    assert api("mia").get(f"/jobs/{answer.json()['job_id']}").json()["state"] == "queued"
    desk.run("bulk")
    assert api("mia").get("/sync/snapshot", device_id=str(device_id)).status_code == 200


def test_a_job_that_has_failed_is_told_and_not_begun_again_at_once(grown, large, desk, monkeypatch):
    device_id = register(grown.actor)
    with pytest.raises(SnapshotBeingMade):
        sync.list_snapshot(actor=grown.actor, device_id=device_id)
    with monkeypatch.context() as broken:
        broken.setattr(snapshots, "make_shared", lambda *_, **__: 1 / 0)
        for _ in range(3):
            desk.run("bulk")
            desk.hurry()
    with pytest.raises(SnapshotFailed) as refused:
        sync.list_snapshot(actor=grown.actor, device_id=device_id)
    assert 0 < refused.value.facts["retry_after_seconds"] <= 601
    with clock.fixed_at(clock.now() + 2 * obtaining.FAILURE_REST), pytest.raises(SnapshotBeingMade):
        sync.list_snapshot(actor=grown.actor, device_id=device_id)


def test_counting_a_large_tree_stops_at_the_limit(grown):
    from bitvault.kernel import db

    whole = len(fresh_tree(grown.actor))
    with db.read_transaction():
        assert snapshots.count_nodes(Extent({grown.root.id: 3}, {}), limit=100) == whole
        assert snapshots.count_nodes(Extent({grown.root.id: 3}, {}), limit=3) == 3
