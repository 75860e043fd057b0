"""A stack of its own for these tests, because they look at its ports, files and processes."""

import pytest

from bitvault.stack.throwaway import ThrowawayServices


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "tests/stack" in str(item.path) and "services" in item.fixturenames:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="package")
def services(tmp_path_factory):
    running = ThrowawayServices(tmp_path_factory.mktemp("stack"))
    with running:
        yield running


@pytest.fixture(scope="package")
def servers(services):
    return services.servers
