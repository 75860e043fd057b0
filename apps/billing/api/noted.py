"""Doors of what is noted of all tenants for operators, and forgotten with them."""

from collections.abc import Collection
from uuid import UUID

from apps.billing import noting
from apps.billing.dtos import NotedRoom, RoomOfAll
from bitvault.kernel.boundary import exposed


@exposed
def list_noted_room(*, tenant_ids: Collection[UUID]) -> dict[UUID, NotedRoom]:
    """Read how much room these tenants had and used when it was last noted, five minutes ago at most; one query."""
    return noting.list_noted(tenant_ids)


@exposed
def sum_up_room(*, tenant_ids: Collection[UUID]) -> RoomOfAll:
    """Sum up the room of these tenants as it was last noted; one query."""
    return noting.sum_up(tenant_ids)


@exposed
def forget_tenant(*, tenant_id: UUID) -> None:
    """Forget what was noted of a deleted tenant; done again it changes nothing."""
    noting.forget_tenant(tenant_id)
