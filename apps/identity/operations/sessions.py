"""Sessions: a browser that is signed in, and how that ends."""

from contextlib import nullcontext
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from apps.identity import dtos, models, queries
from apps.identity.errors import InvalidCredentials
from apps.identity.operations import standing
from apps.identity.operations.endings import end_sessions
from apps.identity.session_store import SessionStore, hash_key
from bitvault.events.api import publish
from bitvault.events.catalog.identity import SessionStarted
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.tenancy import Tenant
from bitvault.mail import api as mail

_AGENT_LIMIT = 200
"""Characters of a browser's name that are kept: enough to know it by."""


def start(
    *,
    session: SessionBase,
    signed_in: dtos.SignedIn,
    tenant: Tenant | None,
    address: str,
    agent: str,
    is_new_browser: bool,
) -> dtos.Session:
    """Sign a browser in under a new key; a key that somebody planted before is worth nothing afterwards."""
    store = SessionStore.of(session)
    with tenancy.entered(tenant) if tenant is not None else nullcontext(), db.public_transaction():
        person = standing.find_person(signed_in.user_id, proved_at=signed_in.proved_at)
        if person is None or (tenant is not None and not standing.is_member(tenant, person.id)):
            raise InvalidCredentials
        _end_row(store, actor_id=person.id)
        row = store.begin(user_id=person.id, proved_at=signed_in.proved_at, address=address, agent=_readable(agent))
        if tenant is not None:
            publish(SessionStarted(session_id=row.id, user_id=person.id, actor_id=person.id))
        if is_new_browser and person.email is not None:
            mail.send("identity.new_sign_in", reference=person.id, facts={"session_id": str(row.id)})
    return queries.to_session(row, current=True)


def sign_out(session: SessionBase) -> None:
    """End the session of the browser that asks, whoever it belongs to."""
    store = SessionStore.of(session)
    with db.public_transaction():
        _end_row(store, actor_id=None)
    store.flush()


def end(*, session_id: UUID, by: Actor) -> None:
    """End one of a person's own sessions in the tenant."""
    with db.public_transaction():
        own = models.Session.objects.filter(id=session_id, tenant_id=by.tenant.id, user_id=by.user_id)
        if not end_sessions(own, actor_id=by.user_id):
            raise NotFound


def end_by_operator(row: models.Session, *, operator_id: UUID) -> None:
    """End a session of anybody's; the event goes to its tenant."""
    here = tenancy.entered(queries.to_tenant(row.tenant)) if row.tenant is not None else nullcontext()
    with here, db.public_transaction():
        end_sessions(models.Session.objects.filter(id=row.id), actor_id=operator_id)


def end_all() -> int:
    """End the sessions of everybody; no event tells of each."""
    with db.public_transaction():
        return models.Session.objects.all().delete()[0]


def _end_row(store: SessionStore, *, actor_id: UUID | None) -> None:
    """End what the browser had before, with its event."""
    if store.session_key is not None:
        end_sessions(models.Session.objects.filter(session_key=hash_key(store.session_key)), actor_id=actor_id)


def _readable(agent: str) -> str:
    """Keep what can be shown of a browser's own words."""
    return "".join(character for character in agent if character.isprintable())[:_AGENT_LIMIT]
