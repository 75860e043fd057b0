"""What the checks of planted bugs share with the tests that they run."""

import pytest

from tests.apps.files.conftest import tree  # noqa: F401 - a fixture
from tests.events.conftest import note, reader  # noqa: F401 - fixtures


@pytest.fixture
def database(django_db_setup, django_db_blocker):
    """The database without a test's transaction: a simulation's own is the outermost, and of it nothing stays."""
    with django_db_blocker.unblock():
        yield
