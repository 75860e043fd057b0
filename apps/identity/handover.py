"""Hand-over tickets: how a sign-in at the bare host reaches a tenant's host, whose cookies nobody else can set, and the other way.

A ticket is a random secret of which Valkey keeps the hash, for a minute, bound to person and tenant; taking it deletes it in the same step.
The page that redeems takes it by POST from the bare host's own origin, so that nobody can sign a stranger's browser in as themselves.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from redis.exceptions import RedisError

from apps.identity import credentials, dtos, queries
from apps.identity.errors import EmailUnproved, InvalidHandover
from bitvault.kernel.db import forbid_transaction
from bitvault.kernel.errors import NotFound, Unauthenticated, Unavailable
from bitvault.kernel.tenancy import Tenant
from bitvault.web import valkey

LIFETIME_SECONDS = 60
"""One redirect takes a second; a minute forgives a slow phone and is over before a ticket in a history is found."""


class _Kept(msgspec.Struct, frozen=True):
    user_id: UUID
    tenant_id: UUID | None
    proved_at: datetime
    email_proved: bool = True


def issue(*, signed_in: dtos.SignedIn, tenant_id: UUID) -> dtos.Handover:
    """Make a ticket for one of the person's tenants."""
    forbid_transaction("keeping a ticket")
    tenant = next((found for found in queries.list_tenants_of_user(signed_in.user_id) if found.id == tenant_id), None)
    if tenant is None:
        raise NotFound
    secret = credentials.new_secret()
    kept = _Kept(
        user_id=signed_in.user_id,
        tenant_id=tenant_id,
        proved_at=signed_in.proved_at,
        email_proved=signed_in.email_proved,
    )
    _keep(secret, kept)
    return dtos.Handover(ticket=secret, tenant_url=tenant.url)


def issue_to_start(session: SessionBase, tenant: Tenant) -> dtos.Handover:
    """Make a ticket from a session of a tenant's host to the bare host."""
    forbid_transaction("keeping a ticket")
    found = queries.find_proof(session, tenant=tenant)
    if found is None:
        raise Unauthenticated
    user_id, proved_at, email_proved = found
    if not email_proved:
        raise EmailUnproved
    secret = credentials.new_secret()
    _keep(secret, _Kept(user_id=user_id, tenant_id=None, proved_at=proved_at))
    return dtos.Handover(ticket=secret, tenant_url=settings.BITVAULT_BASE_URL)


def _keep(secret: str, kept: _Kept) -> None:
    try:
        valkey.client().set(_key(secret), msgspec.json.encode(kept), ex=LIFETIME_SECONDS)
    except RedisError as error:
        raise Unavailable from error


def redeem(*, ticket: str, tenant: Tenant | None) -> dtos.SignedIn:
    """Take a ticket to a tenant's host, or to the bare one; it is gone whatever comes of it."""
    forbid_transaction("taking a ticket")
    try:
        found = valkey.client().getdel(_key(ticket))
    except RedisError as error:
        raise Unavailable from error
    if found is None:
        raise InvalidHandover
    kept = msgspec.json.decode(found, type=_Kept)
    if kept.tenant_id != (None if tenant is None else tenant.id):
        raise InvalidHandover
    own = queries.list_tenants_of_user(kept.user_id)
    here = tuple(one for one in own if tenant is None or one.id == tenant.id)
    if not here:
        raise InvalidHandover
    return dtos.SignedIn(user_id=kept.user_id, proved_at=kept.proved_at, tenants=here, email_proved=kept.email_proved)


def _key(ticket: str) -> str:
    return f"public:handover:{credentials.hash_secret(ticket).hex()}"
