"""A stack of its own for these tests, because they look at its ports, files and processes."""

import pytest

from bitvault.stack.throwaway import ThrowawayServices


@pytest.fixture(scope="package")
def services(tmp_path_factory):
    running = ThrowawayServices(tmp_path_factory.mktemp("stack"))
    with running:
        yield running


@pytest.fixture(scope="package")
def servers(services):
    return services.servers
