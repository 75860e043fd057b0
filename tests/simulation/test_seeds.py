"""SYNC-2: whatever three devices, the browser and the worker do, and whatever is lost on the way, in the end all have the server's tree.

`BITVAULT_TEST_SEEDS=500` runs that many seeds, `BITVAULT_TEST_FIRST_SEED=1000` begins there; under half a second each on an idle core.
"""

import os
from functools import partial

import pytest

from tests.simulation import run, shrink

pytestmark = pytest.mark.django_db

FIRST = int(os.environ.get("BITVAULT_TEST_FIRST_SEED", "0"))
COUNT = int(os.environ.get("BITVAULT_TEST_SEEDS", "200"))
WITH_TEAM = COUNT // 5
WITH_SHARES = COUNT // 5
OPERATIONS = 80

FOUND = {
    6: "2026-11-24: a consumer that stood where the clock of another machine had put it",
    17: "2026-11-24: a folder that the device itself had made, in one that went into the trash before the feed told of either",
    238: "2026-11-24: a folder that was made and went into the trash within one batch, so that nobody was told that it is gone",
}
"""Seeds that have found something, with the day: they are run for ever."""


@pytest.mark.parametrize("seed", sorted({*range(FIRST, FIRST + COUNT - WITH_TEAM - WITH_SHARES), *FOUND}))
def test_all_end_with_the_tree_and_nothing_is_lost(seed):
    _expect_order(seed, run)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WITH_TEAM))
def test_so_they_do_while_a_team_folder_comes_and_goes(seed):
    _expect_order(seed, partial(run, with_team=True))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WITH_SHARES))
def test_so_they_do_while_shares_come_and_go(seed):
    _expect_order(seed, partial(run, with_shares=True))


def _expect_order(seed, run_it):
    report = run_it(seed, OPERATIONS)
    if report.violation is not None:
        shortest = shrink(report, run_it)
        pytest.fail("\n".join([f"seed {seed}, steps {shortest.steps}:", *shortest.trace]))


def test_a_seed_gives_the_same_trace_each_time():
    first, second = run(FIRST, OPERATIONS), run(FIRST, OPERATIONS)
    assert first.trace == second.trace
    assert first.hash == second.hash
    assert first.hash != run(FIRST + 1, OPERATIONS).hash
