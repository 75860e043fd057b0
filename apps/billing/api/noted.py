"""Doors of what is noted: of all tenants for operators, forgotten with them, and by day of each for its meter."""

from collections.abc import Collection
from uuid import UUID

from apps.billing import metering, noting
from apps.billing.dtos import NotedRoom, RoomOfAll
from bitvault.kernel import db
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


@exposed
def note_usage(*, member_count: int, guest_count: int, link_count: int, derived_bytes: int) -> None:
    """Keep, under today's date, what no event of files tells of; the last figure of a day stands for it."""
    amounts = {
        metering.MEMBERS: member_count,
        metering.GUESTS: guest_count,
        metering.LINKS: link_count,
        metering.DERIVED: derived_bytes,
    }
    with db.write_transaction():
        metering.note(amounts)
