import pytest

from apps.previews.jobs import LANE
from apps.previews.operations import CONSUMER
from bitvault.events import consuming
from bitvault.jobs import running
from bitvault.kernel import tenancy
from tests.support.sending import Sender


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def work(acme):
    """Let the stream be read and previews be made; returns how many jobs ran."""

    def work():
        with tenancy.entered(acme):
            consuming.consume(CONSUMER)
        count = 0
        while running.run_next(LANE):
            count += 1
        return count

    return work
