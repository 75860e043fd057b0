"""Tickets: how a program that speaks by token opens a socket without its token standing in a URL, where histories and logs keep it.

A ticket is 256 random bits of which Valkey keeps the hash for half a minute, bound to tenant, person, credential and device. Taking it
deletes it in the same step, so it opens one socket at most, whatever came of the try. For an hour it is known whose it was.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

import msgspec
from redis.exceptions import RedisError

from apps.sync import dtos, queries
from apps.sync.errors import InvalidTicket
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.db import forbid_transaction
from bitvault.kernel.errors import Denied, Unavailable
from bitvault.web import throttle, valkey

LIFETIME_SECONDS = 30
"""A program connects at once; a ticket that is found in a log later is over."""

KNOWN_SECONDS = 3600
"""How long a ticket that is used or too old is known as somebody's: who tries it is written down with whose it was."""

SECRET_BYTES = 32

LIMIT = 120
LIMIT_SECONDS = 60
"""Tickets for one person in a minute: every device of theirs may come back twice a minute; a loop gone wild is stopped."""


def issue(*, actor: Actor, device_id: UUID | None) -> dtos.Ticket:
    """Make a ticket that stands for the actor's credential, and for a device of theirs if one is given."""
    forbid_transaction("keeping a ticket")
    if device_id is not None:
        with db.read_transaction():
            queries.require_device(actor, device_id)
    throttle.take("socket-ticket", [actor.user_id], limit=LIMIT, per_seconds=LIMIT_SECONDS, guards_secret=False)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    kept = dtos.TicketHolder(
        tenant_id=actor.tenant.id,
        user_id=actor.user_id,
        session_id=actor.session_id,
        token_id=actor.token_id,
        device_id=device_id,
    )
    expires_at = clock.now() + timedelta(seconds=LIFETIME_SECONDS)
    try:
        client, encoded = valkey.client(), msgspec.json.encode(kept)
        client.set(_known_key(secret), encoded, ex=KNOWN_SECONDS)
        client.set(_key(secret), encoded, ex=LIFETIME_SECONDS)
    except RedisError as error:
        raise Unavailable from error
    return dtos.Ticket(ticket=secret, expires_at=expires_at)


def redeem(text: str) -> dtos.TicketHolder:
    """Take a ticket; it is gone whatever comes of it.

    :raises InvalidTicket: it was used, is too old, or never was one; of the first two the refusal says whose it was.
    """
    forbid_transaction("taking a ticket")
    try:
        client = valkey.client()
        found = client.getdel(_key(text))
        known = client.get(_known_key(text)) if found is None else None
    except RedisError as error:
        raise Unavailable from error
    if found is None:
        raise InvalidTicket().about(None if known is None else _tell(_decode(known)))
    return _decode(found)


def _decode(encoded: bytes | str) -> dtos.TicketHolder:
    return msgspec.json.decode(encoded, type=dtos.TicketHolder)


def _tell(holder: dtos.TicketHolder) -> Denied:
    return Denied(
        tenant_id=holder.tenant_id,
        user_id=holder.user_id,
        credential_id=holder.session_id or holder.token_id,
        reason="ticket_is_over",
    )


def _known_key(text: str) -> str:
    return f"{_key(text)}:holder"


def _key(text: str) -> str:
    return f"public:socket-ticket:{hashlib.sha256(text.encode()).hexdigest()}"
