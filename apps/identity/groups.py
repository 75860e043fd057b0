"""What identity reads of groups."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from apps.identity import dtos, models, queries
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import Page
from bitvault.kernel.tenancy import Tenant


def list_groups(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Group]:
    """List the groups of a tenant, newest first."""
    return queries.newest_first("identity.groups", _rows(actor.tenant), limit=limit, cursor=cursor).map(to_group)


def get_group(actor: Actor, group_id: UUID) -> dtos.Group:
    """Read a group.

    :raises NotFound: there is none.
    """
    row = _rows(actor.tenant).filter(pk=group_id).first()
    if row is None:
        raise NotFound
    return to_group(row)


def find_groups(tenant: Tenant, group_ids: Collection[UUID]) -> list[dtos.NamedGroup]:
    """Find those of some groups that a tenant has, by name."""
    rows = models.Group.objects.filter(tenant_id=tenant.id, pk__in=list(group_ids)).order_by("name", "id")
    return [dtos.NamedGroup(row.id, row.name, row.parent_id) for row in rows]


def _rows(tenant: Tenant) -> "QuerySet[Any]":
    rows: QuerySet[Any] = models.Group.objects.filter(tenant_id=tenant.id).annotate(member_count=Count("members"))
    return rows


def to_group(row: Any) -> dtos.Group:
    """Give a group with how many people are in it itself."""
    return dtos.Group(
        id=row.id,
        name=row.name,
        parent_id=row.parent_id,
        member_count=row.member_count,
        created_at=row.created_at,
    )


def list_members(actor: Actor, group_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.GroupMember]:
    """List who is in a group itself, latest first."""
    rows = models.GroupMember.objects.filter(group_id=group_id, group__tenant_id=actor.tenant.id).select_related("user")
    return queries.newest_first("identity.group_members", rows, limit=limit, cursor=cursor).map(to_group_member)


def get_member(group_id: UUID, user_id: UUID) -> dtos.GroupMember:
    """Read whether somebody is in a group.

    :raises NotFound: they are not.
    """
    row = models.GroupMember.objects.filter(group_id=group_id, user_id=user_id).select_related("user").first()
    if row is None:
        raise NotFound
    return to_group_member(row)


def to_group_member(row: models.GroupMember) -> dtos.GroupMember:
    """Give somebody in a group."""
    return dtos.GroupMember(user=queries.to_user(row.user), is_manager=row.is_manager, added_at=row.added_at)


def is_member(group_id: UUID, user_id: UUID) -> bool:
    """Tell whether somebody is in a group itself."""
    return models.GroupMember.objects.filter(group_id=group_id, user_id=user_id).exists()


def require_group(tenant: Tenant, group_id: UUID) -> None:
    """Refuse a group that a tenant does not have; its people are not counted for it.

    :raises NotFound: it has none.
    """
    if not models.Group.objects.filter(pk=group_id, tenant_id=tenant.id).exists():
        raise NotFound
