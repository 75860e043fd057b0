"""What operators read of all tenants."""

import dataclasses
from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, Max, Q

from apps.identity import dtos, models, queries
from apps.identity.backends import OperatorBackend
from apps.identity.dtos.tenants import PastImpersonation
from bitvault.kernel.actor import Role
from bitvault.kernel.tenancy import Tenant


def count_tenants_by_state() -> dict[str, int]:
    """Count tenants by state; a state that none has counts 0."""
    found = dict(models.Tenant.objects.values_list("state").annotate(count=Count("pk")))
    return {state.value: found.get(state, 0) for state in models.TenantState}


def list_for_operators(*, wanted: str, state: str, offset: int, limit: int) -> tuple[int, list[dtos.ListedTenant]]:
    """Read a page of tenants by slug with their people, and how many there are; four queries."""
    rows = models.Tenant.objects.order_by("slug")
    if wanted:
        rows = rows.filter(Q(slug__icontains=wanted) | Q(name__icontains=wanted))
    if state:
        rows = rows.filter(state=state)
    count, page = rows.count(), list(rows[offset : offset + limit])
    chosen = [row.id for row in page]
    people = models.Membership.objects.filter(tenant_id__in=chosen, state=models.MembershipState.ACTIVE)
    is_guest = Q(role=Role.GUEST.value)
    counted = {
        tenant_id: counts
        for tenant_id, *counts in people.values_list("tenant_id").annotate(
            members=Count("pk", filter=~is_guest), guests=Count("pk", filter=is_guest)
        )
    }
    seen = dict(
        models.Session.objects.filter(tenant_id__in=chosen).values_list("tenant_id").annotate(at=Max("last_seen_at"))
    )
    listed = []
    for row in page:
        members, guests = counted.get(row.id, (0, 0))
        listed.append(
            dtos.ListedTenant(
                id=row.id,
                slug=row.slug,
                name=row.name,
                state=row.state,
                suspended_for=row.suspended_for,
                member_count=members,
                guest_count=guests,
                seen_at=seen.get(row.id),
            )
        )
    return count, listed


def list_impersonations(*, wanted: str, offset: int, limit: int) -> tuple[int, list[PastImpersonation]]:
    """Read a page of impersonations, latest first, and how many there are; two queries."""
    rows = models.Impersonation.objects.order_by("-id")
    if wanted:
        rows = rows.filter(
            Q(slug__icontains=wanted) | Q(member_email__icontains=wanted) | Q(operator_name__icontains=wanted)
        )
    page = rows[offset : offset + limit]
    fields = tuple(field.name for field in dataclasses.fields(PastImpersonation))
    return rows.count(), [PastImpersonation(**values) for values in page.values(*fields)]


def find_tenant_by_slug(slug: str) -> Tenant | None:
    """Find an active tenant by its slug, as somebody types it."""
    name = slug.strip().lower()
    if "\0" in name:
        return None
    row = models.Tenant.objects.filter(slug=name, state=models.TenantState.ACTIVE).first()
    return None if row is None else queries.to_tenant(row)


def list_operators(permission: str) -> list[UUID]:
    """List the operators who are let in and have a permission of Django's, as ``app.codename``."""
    rows = OperatorBackend().with_perm(permission)
    return list(rows.filter(is_staff=True, email__isnull=False).order_by("id").values_list("id", flat=True))


def find_operator_address(operator_id: UUID) -> tuple[str, str] | None:
    """Find the address and the language of an operator who is let in."""
    rows = models.User.objects.filter(pk=operator_id, is_active=True, is_staff=True, email__isnull=False)
    person = rows.only("email", "locale").first()
    return None if person is None or person.email is None else (person.email, person.locale)


def name_operators(user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name people by name or address; one query."""
    rows = models.User.objects.filter(pk__in=user_ids).only("id", "name", "email", "claimed_email")
    return {row.id: row.name or row.shown_email for row in rows}
