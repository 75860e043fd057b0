"""JRN-1: numbers come dense and in the order of commits, whoever writes at the same time and whoever reads behind."""

import pytest

from apps.identity import api as identity
from bitvault.kernel.tenancy import Tenant

pytestmark = pytest.mark.journey

WRITERS = 8
NOTES_OF_A_WRITER = 1000
REVOKED = 20


def test_whoever_reads_behind_eight_writers_of_one_tenant_misses_no_number(stream, nursery, companies):
    _write_and_read(stream, nursery, [companies.acme])


def test_nor_does_whoever_reads_behind_writers_of_eight_tenants(stream, nursery):
    _write_and_read(stream, nursery, [_found_tenant(number) for number in range(WRITERS)])


def _found_tenant(number: int) -> Tenant:
    made = identity.create_tenant(
        slug=f"writer-{number}", name="W", owner_email="w@writers.test", owner_password="a sentence of my own"
    )
    return Tenant(id=made.id, slug=made.slug, name=made.name)


def _write_and_read(stream, nursery, tenants):
    """Eight processes write, and one transaction in twenty is rolled back; meanwhile every number is read as soon as it shows."""
    heads = {tenant.id: _head(stream, tenant) for tenant in tenants}
    seen = dict(heads)
    writers = [
        nursery.begin(
            "note", tenant=str(tenants[n % len(tenants)].id), texts=[f"w{n}"] * NOTES_OF_A_WRITER, revoked=REVOKED
        )
        for n in range(WRITERS)
    ]
    wanted = WRITERS * (NOTES_OF_A_WRITER - NOTES_OF_A_WRITER // REVOKED)
    while sum(seen.values()) - sum(heads.values()) < wanted:
        for tenant_id, last in seen.items():
            fresh = stream.database.execute(
                "SELECT seq FROM events_stream_event WHERE tenant_id = %s AND seq > %s ORDER BY seq", [tenant_id, last]
            ).fetchall()
            assert [seq for (seq,) in fresh] == list(range(last + 1, last + 1 + len(fresh)))
            seen[tenant_id] = last + len(fresh)
    assert [nursery.finish(writer) for writer in writers] == [0] * WRITERS
    assert {tenant.id: _head(stream, tenant) for tenant in tenants} == seen
    assert stream.violations("lags", "audit: once each", "feed", "journal", "meter", "notes") == []


def _head(stream, tenant):
    return stream.database.execute(
        "SELECT last_seq FROM events_stream_head WHERE tenant_id = %s", [tenant.id]
    ).fetchone()[0]
