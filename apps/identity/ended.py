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

from apps.identity import credentials, models
from apps.identity.session_store import hash_key
from bitvault.kernel import clock, tenancy
from bitvault.kernel.db import forbid_transaction
from bitvault.kernel.errors import Denied, Unavailable
from bitvault.kernel.tenancy import Tenant
from bitvault.web import valkey

LIFETIME = timedelta(days=1)
"""A copied cookie that is tried is tried soon; a browser forgets its own at once."""

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
    token = models.ApiToken.objects.filter(pk=token_id, tenant__state=models.TenantState.ACTIVE).first()
    if token is None or not credentials.verify(secret, token.secret_hash):
        return None
    reason = "holder_not_let_in"
    if token.revoked_at is not None:
        reason = "token_revoked"
    elif token.expires_at <= clock.now():
        reason = "token_expired"
    return Denied(tenant_id=token.tenant_id, user_id=token.user_id, credential_id=token_id, reason=reason)


def find_refused_session(session: SessionBase, *, tenant: Tenant) -> Denied | None:
    """Tell whose a session was that is not let in at a tenant's host."""
    if session.session_key is None:
        return None
    # The row is there until it is swept, unless somebody has ended it.
    rows = models.Session.objects.filter(tenant_id=tenant.id, user__isnull=False)
    row = rows.filter(session_key=hash_key(session.session_key)).only("user_id", "expire_date").first()
    if row is None:
        return find(session.session_key, tenant=tenant)
    reason = "session_expired" if row.expire_date <= clock.now() else "holder_not_let_in"
    return Denied(tenant_id=tenant.id, user_id=row.user_id, credential_id=row.id, reason=reason)
