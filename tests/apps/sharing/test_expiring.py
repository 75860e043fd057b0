"""A share whose time is over is told to the stream at that moment, by a job, once, and never before."""

from datetime import timedelta

import pytest

from apps.sharing import api as sharing
from apps.sharing import expiring
from apps.sharing.models import Permission
from apps.sharing.tasks import sweep
from bitvault.jobs import running
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
from tests.apps.files.conftest import assert_events_tell_all, events, last_seq
from tests.apps.sync.following import Device, project
from tests.support.shares import filled, live, share

EXPIRED = "sharing.share.expired.v1"


@pytest.fixture
def vera(make_actor):
    return live(make_actor("vera"))


@pytest.fixture
def plans(tree):
    return tree.folder("Plans")


def expired_since(seq):
    return [told["share_id"] for kind, told in events(seq) if kind == EXPIRED]


def waiting():
    """When the jobs that wait for an end run, earliest first."""
    rows = Job.objects.filter(kind=expiring.EXPIRE_JOB, state="queued").order_by("run_at")
    return list(rows.values_list("run_at", flat=True))


def run_due():
    while running.run_next("jobs"):
        pass


def test_a_share_that_ends_is_told_when_its_time_comes_and_devices_lose_it(tree, vera, plans):
    device = Device(vera)
    ends = clock.now() + timedelta(hours=1)
    given = share(tree.actor, plans, vera, "viewer", expires_at=ends)
    assert waiting() == [ends - expiring.LEAD]
    project()
    device.follow()
    before = last_seq()
    run_due()
    assert expired_since(before) == []
    with clock.fixed_at(ends):
        run_due()
        assert expired_since(before) == [str(given.id)]
        project()
        device.told.clear()
        device.follow()
        assert [(entry.op, entry.node_id) for entry in device.told] == [("removed", plans.id)]
        run_due()
    assert len(expired_since(before)) == 1
    assert_events_tell_all()


def test_an_end_that_was_put_off_is_told_at_the_later_moment(tree, vera, plans):
    early, late = (clock.now() + timedelta(hours=hours) for hours in (1, 3))
    given = share(tree.actor, plans, vera, "viewer", expires_at=early)
    sharing.change_share(actor=filled(tree.actor), share_id=given.id, expires_at=late, ends=True)
    before = last_seq()
    with clock.fixed_at(early):
        run_due()
    assert expired_since(before) == []
    with clock.fixed_at(late):
        run_due()
    assert expired_since(before) == [str(given.id)]


def test_of_many_ends_each_has_its_moment_though_one_change_asks_for_one_job(tree, make_actor, plans):
    people = [make_actor(name) for name in ("vera", "olga")]
    given = [
        share(tree.actor, plans, one, "viewer", expires_at=clock.now() + timedelta(hours=hours))
        for hours, one in enumerate(people, start=1)
    ]
    Job.objects.exclude(run_at=waiting()[0]).delete()
    before = last_seq()
    for one in given:
        with clock.fixed_at(one.expires_at):
            run_due()
    assert expired_since(before) == [str(one.id) for one in given]


def test_who_is_given_it_again_after_its_end_is_told_of_both(tree, vera, plans):
    ends = clock.now() + timedelta(hours=1)
    share(tree.actor, plans, vera, "viewer", expires_at=ends)
    before = last_seq()
    with clock.fixed_at(ends):
        share(tree.actor, plans, vera, "editor")
    assert [kind for kind, _ in events(before)] == [EXPIRED, "sharing.share.granted.v1"]
    assert_events_tell_all()


def test_the_sweep_ends_what_is_over_and_finds_ends_that_no_job_waits_for(tree, vera, plans, tenant):
    over, later = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    facts = {"principal_kind": "user", "principal_id": vera.user_id, "capabilities": 3, "role": "viewer"}
    with db.write_transaction():
        for expires_at in (over, later):
            Permission.objects.create(
                node_id=ids.new_id(),
                granted_by=tree.actor.user_id,
                granted_at=clock.now(),
                expires_at=expires_at,
                **facts,
            )
    with tenancy.entered(tenant):
        assert sweep.run() == 1
    assert waiting() == [later - expiring.LEAD]
