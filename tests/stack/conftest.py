"""A stack of its own for these tests, because they look at its ports, files and processes."""

import pytest

from bitvault.stack.stores import StoreKind
from bitvault.stack.throwaway import ThrowawayServices
from bitvault.stack.versitygw_program import find_program


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "tests/stack" in str(item.path) and "running_services" in item.fixturenames:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="package")
def running_services(tmp_path_factory):
    """Start a stack with a store once: ``running_services(kind)``."""
    started = {}

    def services_with(kind):
        if kind not in started:
            services = ThrowawayServices(tmp_path_factory.mktemp(kind), store=kind)
            services.__enter__()
            started[kind] = services
        return started[kind]

    yield services_with
    for services in started.values():
        services.__exit__(None, None, None)


@pytest.fixture(scope="package")
def services(running_services):
    """The stack with the store that everybody gets."""
    return running_services(StoreKind.VERSITYGW if find_program() else StoreKind.SEAWEEDFS)


@pytest.fixture(scope="package")
def servers(services):
    return services.servers


def with_store(running_services, kind):
    if kind is StoreKind.VERSITYGW and find_program() is None:
        pytest.skip("versitygw cannot be had here")
    return running_services(kind)


@pytest.fixture(scope="package")
def seaweedfs_services(running_services):
    return with_store(running_services, StoreKind.SEAWEEDFS)


@pytest.fixture(scope="package")
def versitygw_services(running_services):
    return with_store(running_services, StoreKind.VERSITYGW)


@pytest.fixture(scope="package", params=list(StoreKind))
def each_servers(request, running_services):
    """The servers with each of the stores."""
    return with_store(running_services, request.param).servers
