"""The suite turns red for each of thirteen planted bugs: a green one would prove nothing otherwise."""

import pytest
from django.db import transaction

from tests.apps.files import test_concurrency
from tests.apps.files.conftest import Tree
from tests.apps.sync import test_changes, test_feed_tells_all
from tests.apps.sync.following import Device, project
from tests.events import test_consuming
from tests.simulation import planted, run

SEEDS = range(12)
"""As many as a planted bug may survive; most are found by the first two."""


@pytest.mark.parametrize(
    "bug",
    [
        planted.cursor_moved_before_the_effect,
        planted.head_written_without_a_look_at_the_base,
        planted.copies_without_a_key,
        planted.a_door_without_a_row,
        planted.pages_and_then_the_cursor,
        planted.trimmed_without_a_horizon,
    ],
)
def test_the_simulator_finds_it(db, bug):
    with bug():
        reports = (run(seed) for seed in SEEDS)
        found = next((report for report in reports if report.violation is not None), None)
    assert found is not None
    assert run(found.seed).violation is None, "without the bug the same seed is in order"


def is_red(check, *given):
    """Tell whether a test of the suite fails; what it did is undone."""
    try:
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            try:
                check(*[patch if one is pytest.MonkeyPatch else one for one in given])
            finally:
                transaction.set_rollback(True)
    except (AssertionError, pytest.fail.Exception, test_changes.CursorExpired):
        return True
    return False


FEED = [
    (planted.trimmed_past_a_device, test_changes.test_a_device_that_still_comes_keeps_what_it_has_not_acknowledged),
    (planted.cursor_of_any_device, test_changes.test_somebody_elses_device_is_of_no_use),
    (planted.rights_of_the_first_reading, test_changes.test_losing_a_root_removes_it_and_gaining_it_brings_its_subtree),
    (planted.a_return_in_one_row, test_changes.test_what_comes_back_from_the_trash_is_told_whole_parents_first),
    (planted.effects_without_a_memory, test_feed_tells_all.test_double_delivery_of_everything_changes_nothing),
]


@pytest.mark.parametrize(("bug", "check"), FEED, ids=[bug.__name__ for bug, _ in FEED])
def test_a_test_of_the_feed_finds_it(tree, make_actor, bug, check):
    tree.folder("a")
    project()
    device = Device(tree.actor)
    device.follow()
    known = {"tree": tree, "device": device, "make_actor": make_actor, "monkeypatch": pytest.MonkeyPatch, "seed": 0}
    given = [known[name] for name in check.__code__.co_varnames[: check.__code__.co_argcount]]
    kept = dict(vars(device))
    with bug():
        assert is_red(check, *given)
    vars(device).update(kept)
    assert not is_red(check, *given), "without the bug it is green"


@pytest.mark.committed
def test_a_sequence_instead_of_a_counter_is_found(acme, reader, note):
    with planted.sequence_instead_of_counter(), pytest.raises(AssertionError):
        test_consuming.test_eight_writers_leave_no_gap_and_a_reader_behind_them_misses_nothing(acme, reader, note)


@pytest.mark.committed
def test_moves_without_a_tree_lock_are_found(tenant, actor):
    with planted.no_tree_lock(), pytest.raises(Exception):  # noqa: B017 - a circle or a deadlock: the test is red
        for _ in range(5):
            test_concurrency.test_moves_against_each_other_never_lose_a_node(Tree(actor), tenant)
