"""What the checks of planted bugs share with the tests that they run."""

from tests.apps.files.conftest import tree  # noqa: F401 - a fixture
from tests.events.conftest import note, reader  # noqa: F401 - fixtures
