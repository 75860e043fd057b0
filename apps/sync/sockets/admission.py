"""Who may have a socket: the holder of a ticket, or a browser that is signed in and shows a page of ours.

A browser adds its cookie to whatever any page opens, and no rule of origins keeps a foreign page from opening a socket. So without the
exact origin of the tenant's pages a session opens nothing, and a foreign origin closes the door before a ticket is even looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import DatabaseError

from apps.admin_platform import api as administration
from apps.identity import api as identity
from apps.sync import api
from apps.sync.errors import InvalidTicket
from apps.sync.sockets.codes import Close
from apps.sync.sockets.handshake import Handshake
from bitvault.events import api as events
from bitvault.kernel import tenancy
from bitvault.kernel.errors import Denied
from bitvault.kernel.request import Origin, set_origin
from bitvault.kernel.tenancy import Tenant
from bitvault.web.address import page_origin
from bitvault.web.wakeups import Bond, bond

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who holds a socket, and by which credential: a session or a token, and a device if the ticket was made for one."""

    tenant: Tenant
    user_id: UUID
    session_id: UUID | None = None
    token_id: UUID | None = None
    device_id: UUID | None = None
    ends_at: datetime | None = None
    """When the session ends by itself and the socket with it, to the second; of others the half-minutely review finds the end."""

    def bonds(self) -> frozenset[str]:
        """Name all that the socket hangs on."""
        things = (
            (Bond.TENANT, self.tenant.id),
            (Bond.USER, self.user_id),
            (Bond.SESSION, self.session_id),
            (Bond.TOKEN, self.token_id),
            (Bond.DEVICE, self.device_id),
        )
        return frozenset(bond(kind, thing_id) for kind, thing_id in things if thing_id is not None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """No socket: an HTTP 403 before it is accepted, or a close code that the client can read."""

    code: Close | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What the database says of guests: the credentials that still hold, and how far each tenant's changes can be read."""

    credentials: frozenset[UUID]
    devices: frozenset[UUID]
    heads: dict[UUID, int]

    def admits(self, guest: Guest) -> bool:
        """Tell whether a guest may stay."""
        by_credential = guest.session_id in self.credentials or guest.token_id in self.credentials
        return by_credential and (guest.device_id is None or guest.device_id in self.devices)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody asks: at a tenant's host, or at the bare host or an address, which are nobody's."""

    tenant: Tenant | None


def find_place(handshake: Handshake) -> Place | Refusal:
    """Tell where somebody asks; nobody may from a page of another origin, nor at a name that no tenant has."""
    tenant = None
    if not handshake.is_plain:
        tenant = identity.find_tenant_by_host(host=handshake.host)
        if tenant is None:
            return Refusal()
    if handshake.origin is not None and (tenant is None or handshake.origin != page_origin(handshake.host)):
        return Refusal()
    return Place(tenant)


def judge(handshake: Handshake, tenant: Tenant | None) -> Guest | Refusal:
    """Tell who asks, or why they get no socket. A ticket is used up by asking."""
    if handshake.ticket is not None:
        return _by_ticket(handshake.ticket, handshake, at=tenant)
    if tenant is None or handshake.origin is None:
        return Refusal()
    return _by_session(handshake, tenant)


def _by_ticket(text: str, handshake: Handshake, *, at: Tenant | None) -> Guest | Refusal:
    try:
        ticket = api.redeem_ticket(ticket=text)
    except InvalidTicket as error:
        if error.denied is not None:
            _record_holder(error.denied, handshake)
        return Refusal(Close.UNAUTHENTICATED)
    tenant = identity.find_tenant(tenant_id=ticket.tenant_id)
    if at is not None and at.id != ticket.tenant_id:
        if tenant is not None:
            _record(tenant, ticket.user_id, handshake, reason="ticket_of_another_tenant")
        return Refusal(Close.UNAUTHENTICATED)
    if tenant is None:
        return Refusal(Close.FORBIDDEN)
    guest = Guest(
        tenant=tenant,
        user_id=ticket.user_id,
        session_id=ticket.session_id,
        token_id=ticket.token_id,
        device_id=ticket.device_id,
    )
    if not review([guest]).admits(guest):
        credential_id = ticket.session_id or ticket.token_id
        _record(tenant, ticket.user_id, handshake, reason="holder_not_let_in", credential_id=credential_id)
        return Refusal(Close.UNAUTHENTICATED)
    return guest


def _record_holder(denied: Denied, handshake: Handshake) -> None:
    tenant = identity.find_tenant(tenant_id=denied.tenant_id) if denied.tenant_id else None
    if tenant is not None:
        _record(tenant, denied.user_id, handshake, reason=denied.reason, credential_id=denied.credential_id)


def _record(tenant: Tenant, user_id: UUID | None, handshake: Handshake, **facts: Any) -> None:
    """Write down that somebody known got no socket."""
    set_origin(Origin(address=handshake.address))
    try:
        with tenancy.entered(tenant):
            administration.record_denial(
                event_type="socket.denied",
                actor_id=user_id,
                node_id=None,
                payload={"code": int(Close.UNAUTHENTICATED), **facts},
            )
    except DatabaseError:
        logger.exception("denial_not_recorded")


def _by_session(handshake: Handshake, tenant: Tenant) -> Guest | Refusal:
    if handshake.session_key is None:
        return Refusal(Close.UNAUTHENTICATED)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = cast("SessionBase", store(session_key=handshake.session_key))
    actor = identity.find_actor_by_session(session=session, tenant=tenant, address=handshake.address)
    if actor is None:
        denied = identity.find_refused_session(session=session, tenant=tenant)
        if denied is not None:
            _record(tenant, denied.user_id, handshake, reason=denied.reason, credential_id=denied.credential_id)
        return Refusal(Close.UNAUTHENTICATED)
    ends_at = None if actor.impersonation is None else actor.impersonation.ends_at
    return Guest(tenant=tenant, user_id=actor.user_id, session_id=actor.session_id, ends_at=ends_at)


def review(guests: Sequence[Guest]) -> Findings:
    """Ask the database about guests: one query for all credentials, one or two for each tenant."""
    credentials = identity.list_valid_credentials(
        session_ids=frozenset(guest.session_id for guest in guests if guest.session_id is not None),
        token_ids=frozenset(guest.token_id for guest in guests if guest.token_id is not None),
    )
    heads: dict[UUID, int] = {}
    devices: set[UUID] = set()
    for tenant in {guest.tenant.id: guest.tenant for guest in guests}.values():
        # Of guests whose credential holds: the tables of a tenant that was deleted are gone, and its credentials with them.
        here = frozenset(
            guest.device_id
            for guest in guests
            if guest.tenant.id == tenant.id
            and guest.device_id is not None
            and (guest.session_id in credentials or guest.token_id in credentials)
        )
        with tenancy.entered(tenant):
            heads[tenant.id] = events.get_position(api.CONSUMER)
            if here:
                devices |= api.list_live_devices(device_ids=here)
    return Findings(credentials=credentials, devices=frozenset(devices), heads=heads)
