"""Ending sessions and tokens inside an open transaction, with the event of each in the stream of its tenant.

What ends is announced after the commit, in every tenant that it belonged to, so that open sockets close with it.
"""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db.models import QuerySet

from apps.identity import ended, models
from bitvault.events.api import publish
from bitvault.events.catalog.identity import SessionEnded, TokenRevoked
from bitvault.kernel import clock, db
from bitvault.web import wakeups
from bitvault.web.wakeups import Bond, bond


def end_sessions(rows: "QuerySet[models.Session]", *, actor_id: UUID | None) -> int:
    """Delete sessions; returns how many there were."""
    found = list(rows.select_for_update().values_list("id", "tenant_id", "user_id", "session_key", "impersonation_id"))
    models.Session.objects.filter(id__in=[session_id for session_id, *_ in found]).delete()
    remembered = []
    for session_id, tenant_id, user_id, key_hash, impersonation_id in found:
        # That an operator began to look as somebody, and ended, is told by events of its own.
        if user_id is not None and tenant_id is not None and impersonation_id is None:
            publish(SessionEnded(session_id=session_id, user_id=user_id, actor_id=actor_id), tenant_id=tenant_id)
            remembered.append((tenant_id, key_hash, ended.EndedSession(session_id=session_id, user_id=user_id)))
    _announce((tenant_id, bond(Bond.SESSION, session_id)) for session_id, tenant_id, *_ in found)
    if remembered:
        db.require_writing().after_commit(partial(ended.remember, remembered))
    return len(found)


def end_tokens(rows: "QuerySet[models.ApiToken]", *, actor_id: UUID | None) -> int:
    """Revoke tokens that are not yet; returns how many there were."""
    found = list(rows.filter(revoked_at=None).select_for_update().values_list("id", "tenant_id", "user_id"))
    models.ApiToken.objects.filter(id__in=[token_id for token_id, _, _ in found]).update(revoked_at=clock.now())
    for token_id, tenant_id, user_id in found:
        publish(TokenRevoked(token_id=token_id, user_id=user_id, actor_id=actor_id), tenant_id=tenant_id)
    _announce((tenant_id, bond(Bond.TOKEN, token_id)) for token_id, tenant_id, _ in found)
    return len(found)


def announce(tenant_id: UUID, *bonds: str) -> None:
    """Let sockets close that hang on what ends in the open transaction, once it is committed."""
    _announce((tenant_id, one) for one in bonds)


def _announce(named: Iterable[tuple[UUID | None, str]]) -> None:
    by_tenant: dict[UUID, list[str]] = {}
    for tenant_id, one in named:
        if tenant_id is not None:
            by_tenant.setdefault(tenant_id, []).append(one)
    tx = db.require_writing()
    for tenant_id, bonds in by_tenant.items():
        tx.after_commit(partial(wakeups.announce_ended, tenant_id, bonds))
