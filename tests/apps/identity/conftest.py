import secrets

import pytest

from tests.support.world import ACME, BETA, PASSWORD


@pytest.fixture
def address() -> str:
    """An address of this test alone, so that limits count nobody else's tries."""
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


@pytest.fixture
def email() -> str:
    """An address that nobody has, and that no limit has seen."""
    return f"nobody-{secrets.token_hex(6)}@elsewhere.test"


@pytest.fixture
def person():
    """Find a person of the world by first name."""
    return {**ACME.people, **BETA.people}.__getitem__


@pytest.fixture
def signed_in(db, address):
    """Prove a person of the world by password, at the bare host unless a tenant is given."""
    from apps.identity import api

    def prove(name: str, *, tenant=None, password: str = PASSWORD):
        return api.sign_in(
            email={**ACME.people, **BETA.people}[name].email, password=password, tenant=tenant, address=address
        )

    return prove


@pytest.fixture
def browser(db, address):
    """Begin a session of a person at a tenant's host; returns the store that holds its key."""
    from apps.identity import api
    from apps.identity.session_store import SessionStore

    def begin(name: str, tenant, *, store=None):
        store = store or SessionStore()
        signed = api.sign_in(
            email={**ACME.people, **BETA.people}[name].email, password=PASSWORD, tenant=tenant, address=address
        )
        api.start_session(session=store, signed_in=signed, tenant=tenant, address=address, agent="Firefox")
        return store

    return begin


@pytest.fixture
def events(db):
    """Read what a tenant's stream holds, as (type, payload), oldest first."""
    from bitvault.events.models import StreamEvent

    def of(tenant_id):
        rows = StreamEvent.objects.filter(tenant_id=tenant_id).order_by("seq")
        return [(row.type, row.payload) for row in rows]

    return of
