"""Fixtures of the gateway's tests."""

import pytest

from tests.support.impersonating import allow, forgetting, supporter, visitor

__all__ = ["allow", "forgetting", "supporter", "visitor"]


@pytest.fixture
def copying_store(db, use_store):
    """A store that copies parts itself, and is known to."""
    from apps.storage import conformance
    from bitvault.stack.stores import StoreKind

    use_store(StoreKind.SEAWEEDFS)
    return conformance.probe_configured()


@pytest.fixture
def probed_store(db):
    """The store's abilities are known, as they are after every start of an installation."""
    from apps.storage import conformance

    return conformance.probe_configured()
