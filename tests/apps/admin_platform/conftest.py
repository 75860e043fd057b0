"""The audit consumer, called by hand."""

import pytest

from bitvault.events import consuming
from bitvault.kernel import tenancy


@pytest.fixture
def audited():
    """Bring a tenant's audit log up to the head of its stream."""

    def catch_up(tenant) -> int:
        with tenancy.entered(tenant):
            return consuming.consume("audit")

    return catch_up
