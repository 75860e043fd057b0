"""What identity tells of deletions of tenants: whether one is to go, and which have gone."""

from uuid import UUID

from apps.identity import dtos, models, queries
from bitvault.kernel.errors import NotFound
from bitvault.kernel.remembered import Remembered

_OPEN = (models.DeletionState.WAITING, models.DeletionState.REMOVING)

PAST_SHOWN = 50
"""Deletions that operators see at once."""

_remembered: Remembered[UUID, tuple[dtos.Deletion | None]] = Remembered()
"""That there is none is remembered, too: every page asks."""


def forget_remembered() -> None:
    """Make this process ask the database again: something was changed here."""
    _remembered.forget()


def find(tenant_id: UUID) -> dtos.Deletion | None:
    """Find the deletion that a tenant waits for, at most 0.8 s old."""
    (found,) = _remembered.get(tenant_id, lambda: (ask(tenant_id),)) or (None,)
    return found


def ask(tenant_id: UUID) -> dtos.Deletion | None:
    """Find it as it is now."""
    row = models.TenantDeletion.objects.filter(tenant_id=tenant_id, state__in=_OPEN).first()
    return None if row is None else to_deletion(row)


def to_deletion(row: models.TenantDeletion) -> dtos.Deletion:
    """Give a deletion as the people of the vault see it."""
    return dtos.Deletion(requested_at=row.requested_at, due_at=row.due_at, is_by_operator=row.is_by_operator)


def get_overview(slug: str) -> dtos.TenantOverview:
    """Read a tenant, whatever its state, as operators see it.

    :raises NotFound: there is none of this slug.
    """
    row = models.Tenant.objects.filter(slug=slug.strip().lower()).first()
    if row is None:
        raise NotFound("There is no tenant %(slug)s.", slug=slug)
    return dtos.TenantOverview(
        tenant=queries.to_tenant(row),
        state=row.state,
        suspended_for=row.suspended_for,
        people_count=models.Membership.objects.filter(tenant_id=row.id).count(),
        deletion=ask(row.id),
    )


def list_past() -> list[dtos.PastDeletion]:
    """List deletions, the latest wish first."""
    return [
        dtos.PastDeletion(
            slug=row.slug,
            name=row.name,
            state=models.DeletionState(row.state).label,
            reason=row.reason,
            is_by_operator=row.is_by_operator,
            requested_at=row.requested_at,
            due_at=row.due_at,
            ended_at=row.ended_at,
            people_count=row.people_count,
        )
        for row in models.TenantDeletion.objects.order_by("-requested_at")[:PAST_SHOWN]
    ]
