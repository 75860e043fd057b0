"""A running BitVault with its socket process, for the tests of one file."""

import pytest

from tests.apps.files.conftest import Tree, counted_queries  # noqa: F401 - the second is a fixture
from tests.apps.sync.following import Device, project
from tests.support.live import Live
from tests.support.sockets import SocketProcess


@pytest.fixture(scope="module")
def live(database_template, worker_suffix):
    with Live(template=database_template, name=f"bv_sockets_{worker_suffix}") as running:
        yield running


@pytest.fixture(scope="module")
def process(live) -> SocketProcess:
    return SocketProcess(live)


@pytest.fixture
def sockets(process):
    """The socket process; what a test leaves open is closed after it."""
    yield process
    process.close_all()


@pytest.fixture
def tree(tenant, actor):
    """Mia's tree, spoken to by the doors of files."""
    return Tree(actor)


@pytest.fixture
def device(tree):
    tree.folder("a")
    project()
    device = Device(tree.actor)
    device.follow()
    return device
