"""Moves of tenants between stores: planned, begun, canceled and looked at. ``relocating`` does the work."""

from uuid import UUID

import msgspec
from django.db.models import Count, Max, Sum

from apps.storage import dtos, places
from apps.storage.errors import MoveNotFound, MoveUnderWay, NothingToMove
from apps.storage.models import Move, Placement, StoreCopy
from apps.storage.models_of_stores import MoveState
from apps.storage.operations import placing, relocating
from bitvault.events.api import publish
from bitvault.events.catalog.storage import MoveEnded, MoveStarted
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids, tenancy

MOVE_JOB = "storage.move"


class MoveObjects(msgspec.Struct, frozen=True):
    """A move of the entered tenant to another store."""

    move_id: UUID


def enqueue(move_id: UUID) -> None:
    """Have a move worked on, in the open transaction."""
    jobs.enqueue(MOVE_JOB, MoveObjects(move_id), key=move_id.hex, by=jobs.SYSTEM)


# --- beginning and ending --------------------------------------------------------------------------------------------------


def plan(store_id: UUID | None) -> tuple[int, int, int]:
    """Tell what a move of the entered tenant would bring there: objects, their bytes, and uploads that are on their way elsewhere."""
    with db.read_transaction():
        blobs = relocating.elsewhere(store_id).aggregate(size=Sum("size_bytes"))
        count = relocating.elsewhere(store_id).count()
        return count, int(blobs["size"] or 0), relocating.on_their_way(store_id).count()


def start(store_id: UUID | None, *, by: UUID | None) -> UUID:
    """Begin to move the entered tenant to a store; returns the id of the move.

    :raises StoreNotFound: there is no such store.
    :raises StoreUnfit: it was not tested, or lacks something.
    :raises MoveUnderWay: another one is.
    :raises NothingToMove: everything is there.
    """
    tenant_id, move_id = tenancy.current().id, ids.new_id()
    count, size_bytes, on_their_way = plan(store_id)
    if not count and not on_their_way and places.current() == store_id:
        raise NothingToMove
    with db.public_transaction():
        name = "" if store_id is None else placing.require_fit(store_id)
        move = Move(
            id=move_id,
            tenant_id=tenant_id,
            store_id=store_id,
            total_count=count,
            total_bytes=size_bytes,
            started_by=by,
            started_at=clock.now(),
        )
        Move.objects.bulk_create([move], ignore_conflicts=True)
        if not Move.objects.filter(id=move_id).exists():
            raise MoveUnderWay
        if store_id is not None:
            # From here on it is one of the tenant's stores: whatever the move brings there is found, and goes with the tenant.
            Placement.objects.get_or_create(
                tenant_id=tenant_id,
                store_id=store_id,
                defaults={"is_current": False, "placed_at": clock.now()},
            )
        publish(MoveStarted(actor_id=by, move_id=move_id, store=name, object_count=count, size_bytes=size_bytes))
        enqueue(move_id)
    places.forget()
    return move_id


def cancel(*, by: UUID | None) -> None:
    """End the move of the entered tenant before it has switched: copies that it has made are deleted, nothing else has changed.

    :raises MoveNotFound: none is under way, or it has switched; the way back is a move to where it was.
    """
    with db.public_transaction():
        move = Move.objects.select_for_update().filter(
            tenant_id=tenancy.current().id, finished_at__isnull=True, state=MoveState.COPYING
        )
        found = move.first()
        if found is None:
            raise MoveNotFound
        move.update(state=MoveState.CANCELED, finished_at=clock.now())
        publish(MoveEnded(actor_id=by, move_id=UUID(str(found.id)), was_canceled=True, left_count=0))
    relocating.give_up(found.store_id)


def find_active() -> Move | None:
    """Find the move of the entered tenant that is under way."""
    return Move.objects.filter(tenant_id=tenancy.current().id, finished_at__isnull=True).first()


def find_status() -> dtos.MoveStatus | None:
    """Describe the move of the entered tenant that is under way, or the last one."""
    found = Move.objects.filter(tenant_id=tenancy.current().id).select_related("store").order_by("-started_at").first()
    if found is None:
        return None
    return dtos.MoveStatus(
        store_name="" if found.store is None else found.store.name,
        state=found.state,  # type: ignore[arg-type] # the column holds no other
        total_count=found.total_count,
        total_bytes=found.total_bytes,
        copied_count=found.copied_count,
        copied_bytes=found.copied_bytes,
        left_count=found.left_count,
        started_at=found.started_at,
        switched_at=found.switched_at,
        finished_at=found.finished_at,
        is_over=found.finished_at is not None,
    )


def measure_kept() -> dtos.Kept:
    """Sum up what moves have left of the entered tenant."""
    with db.read_transaction():
        left = StoreCopy.objects.filter(kept_until__isnull=False)
        found = left.aggregate(count=Count("id"), size=Sum("size_bytes"), until=Max("kept_until"))
    return dtos.Kept(found["count"], int(found["size"] or 0), found["until"])
