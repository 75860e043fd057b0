import pytest

from apps.scanning import operations
from apps.scanning.engines import chosen
from apps.scanning.jobs import LANE
from bitvault.events import consuming
from bitvault.jobs import running
from bitvault.kernel import scanning, tenancy
from tests.apps.scanning import clamav
from tests.support.sending import Sender


@pytest.fixture(scope="session")
def clamd(tmp_path_factory):
    """A real clamd that runs; without the package ``clamav-daemon`` the tests that need it are left out."""
    if clamav.program is None:
        pytest.skip("clamd is not installed here (apt-get install clamav-daemon)")
    daemon = clamav.Clamd(tmp_path_factory.mktemp("clamd"))
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture(autouse=True)
def _forget_failures():
    chosen.reset()
    scanning.forget()
    yield
    chosen.reset()
    scanning.forget()


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def adam(api):
    return api("adam")


@pytest.fixture
def scanned_by(settings):
    """Name the scanner of this installation."""

    def scanned_by(url):
        settings.BITVAULT_SCANNER_URL = url
        chosen.reset()

    return scanned_by


@pytest.fixture
def rule(adam):
    """Have the tenant's content scanned in some way."""

    def rule(mode, unscanned="allow"):
        answer = adam.patch("/scanning/rule", {"mode": mode, "unscanned": unscanned})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return rule


@pytest.fixture
def work(acme):
    """Let the stream be read and scans be made; returns how many jobs ran."""

    def work(*, backlog=False):
        with tenancy.entered(acme):
            consuming.consume(operations.CONSUMER)
            if backlog:
                operations.request_backlog()
        count = 0
        while running.run_next(LANE):
            count += 1
        return count

    return work
