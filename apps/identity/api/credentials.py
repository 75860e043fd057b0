"""Doors to tokens, and to who asks by which credential."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from apps.identity import ended, queries
from apps.identity.dtos import NewToken, Token, Viewer
from apps.identity.operations import sessions, tokens
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import Denied
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.tenancy import Tenant

# --- tokens ----------------------------------------------------------------------------------------------------------------


@exposed
def create_token(*, actor: Actor, name: str, scopes: frozenset[Scope], expires_at: datetime) -> NewToken:
    """Make an API token of the actor's for this tenant.

    :raises ScopesTooWide: the actor's own token may do less.
    :raises InvalidExpiry: not in the future, or more than a year away.
    :raises InvalidLabel: the name cannot be used.
    """
    return tokens.create(actor=actor, name=name, scopes=scopes, expires_at=expires_at)


@exposed
def list_tokens(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[Token]:
    """List the actor's tokens for this tenant that are not revoked, newest first."""
    return queries.list_tokens(actor, limit=limit, cursor=cursor)


@exposed
def revoke_token(*, actor: Actor, token_id: UUID) -> None:
    """End one of the actor's own tokens; it stops working within a second in every process.

    :raises NotFound: it is none of them, or revoked already.
    """
    tokens.revoke(token_id=token_id, by=actor)


# --- who asks (for the gateway) --------------------------------------------------------------------------------------------


@exposed
def get_actor_by_token(*, text: str, address: str | None) -> Actor:
    """Tell who holds a bearer token: one query, or none within 0.8 s of the last one.

    :raises InvalidToken: malformed, unknown, expired, revoked, or its holder or tenant is not let in.
    """
    return queries.get_actor_by_token(text, address=address)


@exposed
def find_viewer(*, session: SessionBase, tenant: Tenant, address: str | None) -> Viewer | None:
    """Tell who is signed in with a session at the host of ``tenant``, with what pages show of them: one query."""
    return queries.find_viewer(session, tenant=tenant, address=address)


@exposed
def find_actor_by_session(*, session: SessionBase, tenant: Tenant, address: str | None) -> Actor | None:
    """Tell who is signed in with a session at the host of ``tenant``: one query; a session of another tenant is nobody's."""
    viewer = queries.find_viewer(session, tenant=tenant, address=address)
    return None if viewer is None else viewer.actor


@exposed
def find_refused_session(*, session: SessionBase, tenant: Tenant) -> Denied | None:
    """Tell whose a session was that ``find_actor_by_session`` let nobody in with, for the audit log."""
    return ended.find_refused_session(session, tenant=tenant)


@exposed
def list_valid_credentials(*, session_ids: Collection[UUID], token_ids: Collection[UUID]) -> frozenset[UUID]:
    """Tell which of these sessions and tokens, of whatever tenants, would be let in now: one query for all of them."""
    return queries.list_valid_credentials(session_ids=session_ids, token_ids=token_ids)


@exposed
def end_all_sessions() -> int:
    """End the sessions of everybody, after a restore; returns how many. Those that were ended since the backup would be alive again."""
    return sessions.end_all()
