"""Earlier versions go when the vault's rules give them up: none that anybody wants kept, in bounded steps, with their room and their event."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from apps.billing import api as billing
from apps.files import api as files
from apps.files import limits
from apps.files.api import retention
from apps.files.api import versions as version_doors
from apps.files.operations import expiring, versions
from apps.files.operations.thinning import Candidate, Rules, find_due
from apps.identity import api as identity
from apps.identity import policies
from bitvault.jobs import running
from bitvault.jobs.models import Job
from bitvault.kernel import clock
from bitvault.kernel.actor import Role
from tests.apps.files.conftest import assert_events_tell_all, assert_tree_is_sound, events, fetch, last_seq
from tests.support.shares import live

NOW = datetime(2026, 6, 17, 12, 30, tzinfo=UTC)
HOUR, DAY, WEEK = 3600, 86_400, 604_800
MONDAY = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


# --- what is due, against an oracle ---------------------------------------------------------------------------------------------


def tell_what_stays(held, rules, current_id, now):
    """Say the same by other means: seconds since a Monday, sets of slots, one rule after the other. Oldest first, as nothing else here."""
    ordered = sorted(held, key=lambda one: one.id)
    replaced = {one.id: after.created_at for one, after in pairwise(ordered)}
    free = {one.id: one for one in ordered if not one.is_kept and one.id != current_id}
    staying = set(free)
    if rules.thinning:
        slots = defaultdict(list)
        for one in free.values():
            age, since = (now - one.created_at).total_seconds(), one.created_at.timestamp() - MONDAY
            for youngest, oldest, width in ((HOUR, DAY, HOUR), (DAY, 30 * DAY, DAY), (30 * DAY, 1e12, WEEK)):
                if youngest <= age < oldest:
                    slots[width, since // width].append(one.id)
        staying -= {one for group in slots.values() for one in group if one != max(group)}
    if rules.keep_days is not None:
        staying = {one for one in staying if now - replaced.get(one, now) <= timedelta(days=rules.keep_days)}
    if rules.keep_count is not None:
        staying = set(sorted(staying)[-rules.keep_count :])
    return {one.id for one in ordered} - set(free) | staying


def make_history(dice):
    """Versions over up to a year, most of them lately, as people write; newest first."""
    ages = sorted(
        dice.choice((1, 60, 3600, 90_000, 3_000_000, 31_000_000)) * dice.random() for _ in range(dice.randrange(60))
    )
    made = [NOW - timedelta(seconds=age) for age in ages]
    return [Candidate(UUID(int=1000 - at), moment, dice.random() < 0.1) for at, moment in enumerate(made)]


def make_rules(dice):
    return Rules(
        keep_count=dice.choice((None, 1, 5, 20)),
        keep_days=dice.choice((None, 1, 30, 200)),
        thinning=dice.random() < 0.6,
    )


@pytest.mark.parametrize("seed", range(200))
def test_what_the_rules_give_up_is_what_an_oracle_says(seed):
    dice = random.Random(seed)
    held, rules = make_history(dice), make_rules(dice)
    current_id = held[0].id if held else None
    due = find_due(held, rules, current_id=current_id, now=NOW)
    staying = [one for one in held if one not in due]
    assert {one.id for one in staying} == tell_what_stays(held, rules, current_id, NOW)
    assert find_due(staying, rules, current_id=current_id, now=NOW) == [], "a second run finds nothing"


def is_whole(moment, width, begin, end):
    """Tell whether the whole slot of a moment lies between two others."""
    start = moment.timestamp() - (moment.timestamp() - MONDAY) % width
    return begin.timestamp() <= start and start + width <= end.timestamp()


@pytest.mark.parametrize("every", [1, 7, 50])
def test_thinning_again_and_again_leaves_each_hour_day_and_week_its_version(every):
    """Whatever the runs between, nothing goes that was the only one of its time."""
    dice, held, written = random.Random(every), [], []
    begin = NOW - timedelta(days=90)
    for hour in range(90 * 24):
        now = begin + timedelta(hours=hour)
        for at in sorted(dice.random() for _ in range(dice.choice((0, 0, 1, 3)))):
            made = Candidate(UUID(int=len(written) + 1), now + timedelta(hours=at - 1), is_kept=False)
            written.append(made)
            held.insert(0, made)
        if hour % every == 0:
            due = find_due(held, Rules(thinning=True), current_id=held[0].id if held else None, now=now)
            held = [one for one in held if one not in due]
    for youngest, oldest, width in ((0, HOUR, 1), (HOUR, DAY, HOUR), (DAY, 30 * DAY, DAY), (30 * DAY, 90 * DAY, WEEK)):
        before, after = (
            {
                (one.created_at.timestamp() - MONDAY) // width
                for one in some
                if is_whole(one.created_at, width, now - timedelta(seconds=oldest), now - timedelta(seconds=youngest))
            }
            for some in (written, held)
        )
        assert before == after, width
        assert before or width == 1
    assert len(held) < 24 + 30 + 13 + 10


def test_days_count_from_when_a_version_was_replaced():
    """What was the content for a year and was overwritten by mistake a minute ago is there for as long as the rule says."""
    held = [
        Candidate(UUID(int=3), NOW - timedelta(minutes=1), is_kept=False),
        Candidate(UUID(int=2), NOW - timedelta(days=365), is_kept=False),
        Candidate(UUID(int=1), NOW - timedelta(days=366), is_kept=False),
    ]
    for rules in (Rules(keep_days=30), Rules(keep_days=30, thinning=True)):
        due = find_due(held, rules, current_id=held[0].id, now=NOW)
        assert [one.id.int for one in due] == [1]


# --- the run ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def rule(make_actor):
    """Set the vault's rules, for the length of a test."""

    def act(**wanted):
        identity.update_tenant(
            actor=make_actor("olga"), policies={f"versions_{name}": value for name, value in wanted.items()}
        )

    policies.forget_remembered()
    yield act
    policies.forget_remembered()


@pytest.fixture
def write(tree):
    """Make a file with versions of so many bytes, one each at so many days before now."""

    def act(name, *ages, folder=None):
        made = None
        for size, days in enumerate(ages, 1):
            with clock.fixed_at(NOW - timedelta(days=days)):
                content = name.encode() + b"x" * size
                made = tree.file(name, folder, content=content) if made is None else tree.write(made, content).node
        return made

    return act


@pytest.fixture(autouse=True)
def _now():
    with clock.fixed_at(NOW):
        yield


def ages(tree, node):
    return [
        round((NOW - one.created_at) / timedelta(days=1), 2)
        for one in files.list_versions(actor=tree.actor, node_id=node.id).items
    ]


def expire():
    return expiring.expire(report=lambda _: None)


def test_without_a_rule_every_version_stays_and_no_job_is_asked_for(tree, write):
    file = write("a.txt", 900, 800, 3, 2, 1)
    assert not version_doors.request_version_expiry()
    assert expire() == 0
    assert len(ages(tree, file)) == 5


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ({"keep_count": 2}, [0, 0.5, 2.1]),
        ({"keep_days": 30}, [0, 0.5, 2.1, 2.2, 40]),
        ({"thinning": True}, [0, 0.5, 2.1, 40, 60]),
        ({"thinning": True, "keep_count": 3}, [0, 0.5, 2.1, 40]),
    ],
)
def test_a_rule_deletes_what_it_gives_up_with_its_room_and_one_event(tree, write, rule, monkeypatch, rules, left):
    """Day 2.1 and 2.2 are the same one; 60 and 60.1, too."""
    refunds = []
    monkeypatch.setattr(billing, "refund", lambda **told: refunds.append(told["size_bytes"]))
    file = write("a.txt", 60.1, 60, 40, 2.2, 2.1, 0.5, 0)
    before, sizes = (
        last_seq(),
        {one.id: one.size_bytes for one in files.list_versions(actor=tree.actor, node_id=file.id).items},
    )
    rule(**rules)
    assert expire() == 7 - len(left)
    assert ages(tree, file) == left
    told = [payload for kind, payload in events(before) if kind == "files.version.deleted.v1"]
    assert len(told) == 1
    gone = set(sizes) - {one.id for one in files.list_versions(actor=tree.actor, node_id=file.id).items}
    assert {UUID(one) for one in told[0]["version_ids"]} == gone
    assert [told[0]["size_bytes"]] == refunds == [sum(sizes[one] for one in gone)]
    assert expire() == 0, "and again there is nothing left to do"
    assert_tree_is_sound()
    assert_events_tell_all()


def test_named_pinned_and_current_versions_stay_and_are_not_counted(tree, write, rule):
    file = write("a.txt", 500, 400, 300, 200, 100)
    found = files.list_versions(actor=tree.actor, node_id=file.id).items
    files.update_version(actor=tree.actor, node_id=file.id, version_id=found[-1].id, label="Sent")
    files.update_version(actor=tree.actor, node_id=file.id, version_id=found[-2].id, pinned=True)
    rule(keep_count=1)
    assert expire() == 1
    assert ages(tree, file) == [100, 200, 400, 500]
    rule(keep_days=1)
    assert expire() == 1
    assert ages(tree, file) == [100, 400, 500]


def test_what_a_hold_or_a_retention_rule_keeps_stays_until_it_ends(tree, write, rule, make_actor):
    adam, folder = live(make_actor("adam")), tree.folder("Case")
    held, free = write("held.txt", 50, 40, 30, folder=folder), write("free.txt", 50, 40, 30)
    rule(keep_count=1)
    admin = replace(tree.actor, role=Role.ADMIN)
    hold = retention.make_policy(actor=admin, kind="hold", name="Case", target="folder", node_id=folder.id)
    assert expire() == 1
    assert (ages(tree, held), ages(tree, free)) == ([30, 40, 50], [30, 40])
    retention.lift_policy(actor=admin, policy_id=hold.id)
    kept = retention.make_policy(
        actor=admin, kind="rule", name="Books", target="folder", node_id=folder.id, keep_days=60
    )
    assert expire() == 0
    retention.lift_policy(actor=admin, policy_id=kept.id)
    whole = retention.make_policy(actor=adam, kind="hold", name="All", target="vault")
    assert not version_doors.request_version_expiry(), "a vault that is on hold is not looked through"
    assert expire() == 0
    retention.lift_policy(actor=adam, policy_id=whole.id)
    assert version_doors.request_version_expiry()
    assert expire() == 1


def test_locked_files_and_those_in_the_trash_stay_as_they_are(tree, write, rule):
    folder = tree.folder("Old")
    locked, trashed = write("locked.txt", 3, 2, 1), write("trashed.txt", 3, 2, 1)
    write("inner.txt", 3, 2, 1, folder=folder)
    files.lock_node(actor=tree.actor, node_id=locked.id)
    tree.trash(trashed)
    tree.trash(folder)
    rule(keep_count=1)
    assert expire() == 0
    files.unlock_node(actor=tree.actor, node_id=locked.id)
    tree.restore(trashed)
    assert expire() == 2
    assert ages(tree, trashed) == [1, 2]


def test_a_long_history_goes_in_steps_and_whoever_is_stopped_goes_on(tree, write, rule, monkeypatch):
    monkeypatch.setattr(limits, "VERSIONS_BATCH", 2)
    monkeypatch.setattr(limits, "VERSIONS_PAGE", 1)
    long, short = write("long.txt", *range(20, 12, -1)), write("short.txt", 3, 2, 1)
    write("single.txt", 9)
    rule(keep_count=1)
    before = last_seq()

    class Stopped(Exception):
        pass

    def stop(_count):
        raise Stopped

    with pytest.raises(Stopped):
        expiring.expire(report=stop)
    assert expire() == 1
    assert (ages(tree, long), ages(tree, short)) == ([13, 14], [1, 2])
    told = [payload for kind, payload in events(before) if kind == "files.version.deleted.v1"]
    assert [len(one["version_ids"]) for one in told] == [2, 2, 2, 1]
    assert_events_tell_all()


def test_what_is_named_between_the_look_and_the_deletion_stays(tree, write, rule):
    file = write("a.txt", 3, 2, 1)
    oldest = files.list_versions(actor=tree.actor, node_id=file.id).items[-1]
    rule(keep_count=1)
    found = list(expiring._find_due([file.id], expiring.find_rules()))
    files.update_version(actor=tree.actor, node_id=file.id, version_id=oldest.id, pinned=True)
    assert found == [file.id]
    assert versions.expire(node_id=file.id, rules=expiring.find_rules()) == 0


def test_the_schedule_asks_for_one_job_that_does_it(tree, write, rule):
    file = write("a.txt", 3, 2, 1)
    rule(keep_count=1)
    assert version_doors.request_version_expiry()
    assert version_doors.request_version_expiry()
    jobs = Job.objects.filter(kind=expiring.EXPIRE_JOB)
    assert jobs.count() == 1
    jobs.update(run_at=NOW - timedelta(days=30))
    while running.run_next("bulk"):
        pass
    assert ages(tree, file) == [1, 2]
    assert fetch("SELECT count(*) FROM files_refund") == [(0,)]


# --- a look ahead -----------------------------------------------------------------------------------------------------------


def test_a_preview_counts_what_the_run_would_delete_and_changes_nothing(tree, write, rule, make_actor, monkeypatch):
    folder, olga = tree.folder("Case"), make_actor("olga")
    write("held.txt", 50, 40, 30, folder=folder)
    locked, trashed = write("locked.txt", 50, 40, 30), write("trashed.txt", 50, 40, 30)
    for number in range(5):
        write(f"{number}.txt", 50, 40, 30, 0)
    files.lock_node(actor=tree.actor, node_id=locked.id)
    tree.trash(trashed)
    retention.make_policy(actor=olga, kind="hold", name="Case", target="person", user_id=tree.actor.user_id)
    look = version_doors.preview_version_expiry
    assert look(actor=olga, keep_count=1).version_count == 0
    retention.lift_policy(actor=olga, policy_id=retention.list_policies(actor=olga).items[0].id)
    before = last_seq()
    monkeypatch.setattr(limits, "VERSIONS_PAGE", 3)
    found = look(actor=olga, keep_count=1)
    assert (last_seq(), look(actor=olga).version_count) == (before, 0)
    rule(keep_count=1)
    assert (found.version_count, found.is_complete) == (expire(), True)
    told = [payload["size_bytes"] for kind, payload in events(before) if kind == "files.version.deleted.v1"]
    assert (found.version_count, found.size_bytes) == (11, sum(told))
    assert look(actor=olga, keep_count=1).version_count == 0
    monkeypatch.setattr(expiring, "PREVIEW_SECONDS", -1.0)
    write("more.txt", 50, 40, 30)
    assert not look(actor=olga, keep_days=1).is_complete


def test_only_who_manages_the_settings_looks_ahead(api):
    for name, status in (("olga", 200), ("adam", 200), ("mia", 403)):
        assert api(name).get("/versions/expiry", keep_count="1").status_code == status
    for wish in ({"keep_count": "0"}, {"keep_days": "3651"}, {"thinning": "perhaps"}):
        assert api("adam").get("/versions/expiry", **wish).status_code == 422


@pytest.mark.usefixtures("_now")
def test_a_preview_asks_the_same_however_many_files_have_something_due(tree, write, counted_queries):
    write("first.txt", 50, 40, 30)
    with counted_queries() as few:
        expiring.preview(Rules(keep_count=1))
    for number in range(20):
        write(f"{number}.txt", 50, 40, 30)
    with counted_queries() as many:
        expiring.preview(Rules(keep_count=1))
    assert len(many) == len(few)
