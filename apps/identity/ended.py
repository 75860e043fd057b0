"""Whose a credential was that is not let in any more: the audit log tells of whoever still brings one.

Rows of sessions that were ended are gone. Those are remembered in Valkey for a day, by the hash of the key, as in
the table. Where Valkey does not answer, nothing is remembered and nothing is told.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog
from django.contrib.sessions.backends.base import SessionBase
from redis.exceptions import RedisError

from apps.identity import credentials
from apps.identity.session_store import hash_key
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.db import forbid_transaction
from bitvault.kernel.errors import Denied, Unavailable
from bitvault.kernel.tenancy import Tenant
from bitvault.web import valkey

LIFETIME = timedelta(days=1)
"""A copied cookie that is tried is tried soon; a browser forgets its own at once."""

# Whose a credential was that is not let in. The session's row is there until it is swept, unless somebody has ended it.
_FIND_REFUSED_PROGRAM = """
SELECT token.secret_hash, token.tenant_id, token.user_id, token.revoked_at IS NOT NULL, token.expires_at <= %s
FROM public.identity_api_token AS token JOIN public.identity_tenant AS tenant ON tenant.id = token.tenant_id AND tenant.state = 'active'
WHERE token.id = %s
"""
_FIND_REFUSED_SESSION = """
SELECT id, user_id, expire_date <= %s FROM public.identity_session
WHERE session_key = %s AND tenant_id = %s AND user_id IS NOT NULL
"""

logger = structlog.get_logger(__name__)


class EndedSession(msgspec.Struct, frozen=True):
    """Whose it was."""

    session_id: UUID
    user_id: UUID


def remember(ended: Iterable[tuple[UUID, str, EndedSession]]) -> None:
    """Remember sessions (tenant, hash of the key, whose) that were just ended."""
    forbid_transaction("remembering an ended session")
    try:
        pipeline = valkey.client().pipeline(transaction=False)
        for tenant_id, key_hash, whose in ended:
            pipeline.set(_key(tenant_id, key_hash), msgspec.json.encode(whose), ex=LIFETIME)
        pipeline.execute()
    except (RedisError, Unavailable) as error:
        logger.info("ended_session_not_remembered", error=type(error).__name__)


def find(session_key: str, *, tenant: Tenant) -> Denied | None:
    """Tell whose an ended session was."""
    try:
        found = valkey.client().get(_key(tenant.id, hash_key(session_key)))
    except (RedisError, Unavailable):
        return None
    if found is None:
        return None
    whose = msgspec.json.decode(found, type=EndedSession)
    return Denied(tenant_id=tenant.id, user_id=whose.user_id, credential_id=whose.session_id, reason="session_ended")


def _key(tenant_id: UUID, key_hash: str) -> str:
    return tenancy.key_of(tenant_id, "ended-session", key_hash)


def find_refused_token(token_id: UUID, secret: str) -> Denied | None:
    """Tell whose a token was that is not let in; only who has its secret is anybody."""
    with db.prepared_cursor() as cursor:
        cursor.execute(_FIND_REFUSED_PROGRAM, [clock.now(), token_id])
        row = cursor.fetchone()
    if row is None or not credentials.verify(secret, row[0]):
        return None
    _, tenant_id, user_id, revoked, expired = row
    reason = "token_revoked" if revoked else "token_expired" if expired else "holder_not_let_in"
    return Denied(tenant_id=tenant_id, user_id=user_id, credential_id=token_id, reason=reason)


def find_refused_session(session: SessionBase, *, tenant: Tenant) -> Denied | None:
    """Tell whose a session was that is not let in at a tenant's host."""
    if session.session_key is None:
        return None
    with db.prepared_cursor() as cursor:
        cursor.execute(_FIND_REFUSED_SESSION, [clock.now(), hash_key(session.session_key), tenant.id])
        row = cursor.fetchone()
    if row is None:
        return find(session.session_key, tenant=tenant)
    session_id, user_id, expired = row
    reason = "session_expired" if expired else "holder_not_let_in"
    return Denied(tenant_id=tenant.id, user_id=user_id, credential_id=session_id, reason=reason)
