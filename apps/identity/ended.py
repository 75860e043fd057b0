"""Sessions that were ended, remembered in Valkey for a day: their rows are gone, and the audit log tells of whoever still brings one.

What is kept is the hash of the key, as in the table. Where Valkey does not answer, nothing is remembered and nothing is told.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from apps.identity.session_store import hash_key
from bitvault.kernel import tenancy
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
