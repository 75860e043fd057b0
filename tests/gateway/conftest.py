"""Fixtures of the gateway's tests."""

import pytest


@pytest.fixture
def probed_store(db):
    """The store's abilities are known, as they are after every start of an installation."""
    from apps.storage import conformance

    return conformance.probe_configured()
