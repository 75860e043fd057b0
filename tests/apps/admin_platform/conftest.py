"""The audit consumer, called by hand, and addresses of which limits know nothing."""

import secrets

import pytest

from apps.admin_platform import denials
from bitvault.events import consuming
from bitvault.kernel import tenancy


@pytest.fixture(autouse=True)
def _denials_of_other_tests_do_not_count(monkeypatch):
    """All tests share one Valkey, and in ten minutes people are denied more often than the log writes down."""
    monkeypatch.setattr(denials, "PERSON_LIMIT", 100_000)
    monkeypatch.setattr(denials, "TENANT_LIMIT", 100_000)


@pytest.fixture
def audited():
    """Bring a tenant's audit log up to the head of its stream."""

    def catch_up(tenant) -> int:
        with tenancy.entered(tenant):
            return consuming.consume("audit")

    return catch_up


@pytest.fixture
def address() -> str:
    """An address of this test alone, so that limits count nobody else's tries."""
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
