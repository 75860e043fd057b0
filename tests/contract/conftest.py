"""Real processes for promises that only show between requests."""

import pytest

from tests.support.live import Live
from tests.support.surface import count_guesses_apart


@pytest.fixture(autouse=True)
def _guesses_of_its_own(settings):
    count_guesses_apart(settings)


@pytest.fixture(scope="module")
def live(database_template, worker_suffix):
    """A running BitVault with the small world (tests/support/world.py), for the tests of one file."""
    with Live(template=database_template, name=f"bv_contract_{worker_suffix}") as running:
        yield running
