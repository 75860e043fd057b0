"""The doors of placement: which stores there are, and in which of them a tenant's bytes are kept."""

from collections.abc import Sequence
from uuid import UUID

from apps.storage import places
from apps.storage.dtos import Holding, Kept, MovePlan, MoveStatus, StoreFacts
from apps.storage.operations import moving, placing
from bitvault.kernel.boundary import exposed


@exposed
def list_stores() -> list[StoreFacts]:
    """Describe the installation's own object store, and the others by name; two queries."""
    return placing.list_stores()


@exposed
def list_holdings(*, stores: Sequence[StoreFacts]) -> list[Holding]:
    """Tell what the entered tenant has in which of these stores, the one that takes its new bytes first."""
    return placing.list_holdings(list(stores))


@exposed
def place_tenant(*, store_id: UUID | None, operator_id: UUID | None) -> None:
    """Have new bytes of the entered tenant kept in a store; ``None``: the installation's own. What it has stays where it is.

    Its audit log tells of it. Where it is placed there already, nothing happens.

    :raises StoreNotFound: there is no such store.
    :raises StoreUnfit: its last test found that something lacks, or there was none.
    """
    placing.place(store_id, by=operator_id)


@exposed
def find_page_origins(*, tenant_id: UUID) -> tuple[str, ...]:
    """Tell the addresses at which pages of a tenant ask stores beside the installation's own; remembered for under a second."""
    return places.find_origins(tenant_id)


@exposed
def plan_move(*, store_id: UUID | None) -> MovePlan:
    """Tell what a move of the entered tenant to a store would bring there; nothing is changed."""
    return MovePlan(*moving.plan(store_id))


@exposed
def start_move(*, store_id: UUID | None, operator_id: UUID | None) -> UUID:
    """Begin to move the entered tenant's objects to a store; a job does it, and the audit log tells of it. Returns the move's id.

    :raises StoreNotFound: there is no such store.
    :raises StoreUnfit: its last test found that something lacks, or there was none.
    :raises MoveUnderWay: the tenant is being moved already.
    :raises NothingToMove: everything is there.
    """
    return moving.start(store_id, by=operator_id)


@exposed
def cancel_move(*, operator_id: UUID | None) -> None:
    """End the entered tenant's move before it has switched; what it has copied is deleted, and nothing else has changed.

    :raises MoveNotFound: none is under way, or it has switched. The way back is a move to where it was.
    """
    moving.cancel(by=operator_id)


@exposed
def find_move() -> MoveStatus | None:
    """Describe the entered tenant's move that is under way, or its last one."""
    return moving.find_status()


@exposed
def measure_kept() -> Kept:
    """Sum up what moves have left of the entered tenant in stores that its objects have moved out of."""
    return moving.measure_kept()
