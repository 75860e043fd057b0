"""The suite turns red for each planted bug: a green one would prove nothing otherwise. The README has the table."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from threading import Barrier, BrokenBarrierError, Event
from unittest.mock import patch

import pytest
from django.db import IntegrityError, connection, transaction

from apps.files import api as files
from apps.files import errors
from apps.files.operations import structure
from apps.sync.errors import CursorExpired
from bitvault.kernel import tenancy
from tests.apps.files import test_trash
from tests.apps.files.conftest import assert_tree_is_sound
from tests.apps.sync import test_changes, test_feed_tells_all, test_horizon, test_removals, test_rights
from tests.apps.sync.following import Device, project
from tests.events import test_consuming
from tests.gateway import test_stream_admin
from tests.kernel import test_names
from tests.planted import bugs
from tests.simulation import run
from tests.support.postgres import undone

SEEDS = {
    bugs.cursor_moved_before_the_effect: (4, "J6"),
    bugs.head_written_without_a_look_at_the_base: (5, "S3"),
    bugs.copies_without_a_key: (87, "S4"),
    bugs.a_door_without_a_row: (1, "J6"),
    bugs.pages_and_then_the_cursor: (0, "S1"),
    bugs.trimmed_without_a_horizon: (4, "J1"),
    bugs.rows_of_a_node_made_one: (7, "J1"),
    bugs.cursor_kept_before_the_changes: (1, "S1"),
}
"""A seed of the simulation that finds each, and the invariant (reliability, section 2) that it then says is broken."""

MEETING_SECONDS = 1.0
"""How long one waits for the other, who waits for the lock; without a lock both come, however long that takes."""


@pytest.mark.parametrize("bug", SEEDS, ids=lambda bug: bug.__name__)
def test_the_simulation_finds_it(database, bug):
    seed, invariant = SEEDS[bug]
    assert run(seed).violation is None, "without the bug the seed is in order"
    with bug():
        assert run(seed).violation.startswith(invariant)


def test_the_simulation_of_a_team_finds_what_is_still_told(database):
    with bugs.rights_of_the_first_reading():
        violations = [run(seed, with_team=True).violation for seed in range(4)]
    assert any(violation is not None and violation.startswith("S1") for violation in violations), violations


def is_red(check, *given):
    """Tell whether a test of the suite fails; what it did is undone."""
    try:
        with undone(), pytest.MonkeyPatch.context() as patch:
            try:
                check(*[patch if one is pytest.MonkeyPatch else one for one in given])
            finally:
                transaction.set_rollback(True)
    except (AssertionError, pytest.fail.Exception, CursorExpired, IntegrityError):
        return True
    return False


CHECKS = [
    (bugs.trimmed_past_a_device, test_horizon.test_a_device_that_still_comes_keeps_what_it_has_not_acknowledged),
    (bugs.cursor_of_any_device, test_changes.test_somebody_elses_device_is_of_no_use),
    (bugs.rights_of_the_first_reading, test_rights.test_losing_a_root_removes_it_and_gaining_it_brings_its_subtree),
    (bugs.a_return_in_one_row, test_changes.test_what_comes_back_from_the_trash_is_told_whole_parents_first),
    (
        bugs.an_epoch_that_outlives_what_was_overtaken,
        test_changes.test_an_event_that_has_its_effect_out_of_turn_starts_another_epoch,
    ),
    (bugs.effects_without_a_memory, test_feed_tells_all.test_double_delivery_of_everything_changes_nothing),
    (bugs.gone_in_its_place, test_removals.test_what_left_a_folder_before_it_went_into_the_trash_stays),
    (
        bugs.a_return_without_a_look_at_its_name,
        test_trash.test_a_taken_name_is_refused_or_numbered_as_the_caller_says,
    ),
]


@pytest.mark.parametrize(("bug", "check"), CHECKS, ids=[bug.__name__ for bug, _ in CHECKS])
def test_a_test_of_the_suite_finds_it(tree, make_actor, bug, check):
    tree.folder("a")
    project()
    device = Device(tree.actor)
    device.follow()
    known = {"tree": tree, "device": device, "make_actor": make_actor, "monkeypatch": pytest.MonkeyPatch, "seed": 2}
    given = [known[name] for name in check.__code__.co_varnames[: check.__code__.co_argcount]]
    kept = {**vars(device), "nodes": dict(device.nodes), "told": list(device.told)}
    with bug():
        assert is_red(check, *given)
    vars(device).update(kept)
    assert not is_red(check, *given), "without the bug it is green"


@pytest.mark.committed
def test_a_sequence_instead_of_a_counter_is_found(acme, reader, note):
    with bugs.sequence_instead_of_counter(), pytest.raises(AssertionError):
        test_consuming.test_eight_writers_leave_no_gap_and_a_reader_behind_them_misses_nothing(acme, reader, note)


@pytest.mark.committed
def test_effects_without_their_cursor_are_found(acme, reader, note):
    with bugs.effects_without_their_cursor(), pytest.raises(AssertionError):
        test_consuming.test_an_effect_and_its_cursor_stand_or_fall_together(acme, reader, note)


@pytest.mark.committed
def test_an_epoch_that_outlives_a_backup_is_found(committed, make_actor):
    with bugs.an_epoch_that_outlives_a_backup(), pytest.raises(pytest.fail.Exception):
        test_stream_admin.test_after_a_restore_no_cursor_of_a_device_fits_in_any_tenant(committed, make_actor)


def test_keys_by_lower_are_found():
    with bugs.keys_by_lower(), pytest.raises(AssertionError):
        for one, other, same in test_names.VECTORS:
            test_names.test_which_names_are_the_same(one, other, same)


@pytest.mark.committed
@pytest.mark.parametrize("is_locked", [True, False])
def test_moves_without_a_tree_lock_are_found(tree, tenant, is_locked):
    """Two folders go into each other, both judged before either is written, and then one after the other: that is what the lock is for."""
    one, other = tree.folder("one"), tree.folder("other")
    meeting, first_is_through, write = (
        Barrier(2, timeout=MEETING_SECONDS if is_locked else 60),
        Event(),
        structure.write_move,
    )

    def write_when_both_are_judged(*arguments):
        with suppress(BrokenBarrierError):  # the other one waits for the lock
            if meeting.wait():
                assert first_is_through.wait(timeout=60)
        return write(*arguments)

    def move(node, into):
        try:
            with tenancy.entered(tenant):
                files.update_node(actor=tree.actor, node_id=node.id, parent_id=into.id, expected_revision="any")
        except errors.MoveCycle:
            return "refused"
        finally:
            first_is_through.set()
            connection.close()
        return "moved"

    with nullcontext() if is_locked else bugs.no_tree_lock():
        with patch.object(structure, "write_move", write_when_both_are_judged), ThreadPoolExecutor(2) as pool:
            moves = [pool.submit(move, one, other), pool.submit(move, other, one)]
        outcomes = sorted(one.result() for one in moves)
    if is_locked:
        assert outcomes == ["moved", "refused"]
        assert_tree_is_sound()
    else:
        assert outcomes == ["moved", "moved"]
        with pytest.raises(AssertionError, match="unreachable nodes"):
            assert_tree_is_sound()
