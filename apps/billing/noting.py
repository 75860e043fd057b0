"""The room of all tenants, for operators: each tenant's own table can be read in its own transaction alone, so it is noted in a public one.

It is as old as the last note: five minutes at most, and no time at all after an operator has changed a plan.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, F, Min, Q, Sum

from apps.billing import dtos, models, queries
from bitvault.kernel import clock, db, tenancy


def note_room() -> None:
    """Note how much room the entered tenant has and uses now."""
    quota = queries.get_quota()
    figures = {
        "plan": quota.plan,
        "used_bytes": quota.used_bytes,
        "reserved_bytes": quota.reserved_bytes,
        "limit_bytes": quota.limit_bytes,
        "noted_at": clock.now(),
    }
    with db.public_transaction():
        models.TenantRoom.objects.update_or_create(tenant_id=tenancy.current().id, defaults=figures)


def list_noted(tenant_ids: Collection[UUID]) -> dict[UUID, dtos.NotedRoom]:
    """Read what was noted of these tenants; one that was never noted is left out."""
    rows = models.TenantRoom.objects.filter(tenant_id__in=list(tenant_ids))
    columns = ("tenant_id", "plan", "used_bytes", "reserved_bytes", "limit_bytes", "noted_at")
    return {tenant_id: dtos.NotedRoom(*rest) for tenant_id, *rest in rows.values_list(*columns)}


def sum_up(tenant_ids: Collection[UUID]) -> dtos.RoomOfAll:
    """Sum up what was noted of these tenants."""
    rows = models.TenantRoom.objects.filter(tenant_id__in=list(tenant_ids))
    found = rows.aggregate(
        used=Sum("used_bytes"),
        reserved=Sum("reserved_bytes"),
        given=Sum("limit_bytes"),
        over=Count("pk", filter=Q(used_bytes__gt=F("limit_bytes"))),
        oldest=Min("noted_at"),
    )
    return dtos.RoomOfAll(
        used_bytes=int(found["used"] or 0),
        reserved_bytes=int(found["reserved"] or 0),
        limit_bytes=int(found["given"] or 0),
        over_count=found["over"],
        noted_at=found["oldest"],
    )


def forget_tenant(tenant_id: UUID) -> None:
    """Forget what was noted of a tenant."""
    with db.public_transaction():
        models.TenantRoom.objects.filter(tenant_id=tenant_id).delete()
