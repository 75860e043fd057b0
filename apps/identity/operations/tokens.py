"""API tokens: made by their holder, shown once, ended at any time."""

from datetime import datetime, timedelta
from uuid import UUID

from apps.identity import credentials, dtos, models, queries
from apps.identity.errors import InvalidExpiry, ScopesTooWide
from apps.identity.operations import standing, texts
from apps.identity.operations.endings import end_tokens
from bitvault.events.api import publish
from bitvault.events.catalog.identity import TokenCreated
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.errors import Invalid, NotFound

LIFETIME_LIMIT = timedelta(days=366)
"""A year: what is not renewed by then is forgotten, and a forgotten key is the one that leaks."""


def create(*, actor: Actor, name: str, scopes: frozenset[Scope], expires_at: datetime) -> dtos.NewToken:
    """Make a token; only the hash of its secret stays here."""
    label = texts.read_label(name, field="name")
    now = clock.now()
    if expires_at.tzinfo is None:
        raise InvalidExpiry("Give the moment with its time zone, like 2027-01-31T00:00:00Z.")
    if not now < expires_at <= now + LIFETIME_LIMIT:
        raise InvalidExpiry("A token expires in the future and within a year.", latest=now + LIFETIME_LIMIT)
    if not scopes:
        raise Invalid("A token needs at least one scope.")
    if not scopes <= actor.scopes:
        raise ScopesTooWide(missing=sorted(scopes - actor.scopes))
    secret = credentials.new_secret()
    row = models.ApiToken(
        id=ids.new_id(),
        tenant_id=actor.tenant.id,
        user_id=actor.user_id,
        name=label,
        secret_hash=credentials.hash_secret(secret),
        scopes=sorted(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    with db.public_transaction():
        row.proved_at = standing.lock_credential(actor)
        row.save(force_insert=True)
        publish(
            TokenCreated(
                token_id=row.id,
                user_id=actor.user_id,
                scopes=[scope.value for scope in sorted(scopes)],
                expires_at=expires_at.isoformat(),
                actor_id=actor.user_id,
            )
        )
    return dtos.NewToken(
        id=row.id,
        name=label,
        scopes=sorted(scopes),
        created_at=now,
        expires_at=expires_at,
        last_used_at=None,
        token=credentials.write_token(row.id, secret),
    )


def revoke(*, token_id: UUID, by: Actor) -> None:
    """End one of a person's own tokens in the tenant."""
    with db.public_transaction() as tx:
        own = models.ApiToken.objects.filter(id=token_id, tenant_id=by.tenant.id, user_id=by.user_id)
        if not end_tokens(own, actor_id=by.user_id):
            raise NotFound
        tx.after_commit(queries.forget_remembered)


def revoke_by_operator(row: models.ApiToken, *, operator_id: UUID) -> None:
    """End a token of anybody's; the event goes to its tenant."""
    with tenancy.entered(queries.to_tenant(row.tenant)), db.public_transaction() as tx:
        end_tokens(models.ApiToken.objects.filter(id=row.id), actor_id=operator_id)
        tx.after_commit(queries.forget_remembered)
