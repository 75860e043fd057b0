"""The doors of placement: which stores there are, and in which of them a tenant's bytes are kept."""

from collections.abc import Sequence
from uuid import UUID

from apps.storage import places
from apps.storage.dtos import Holding, StoreFacts
from apps.storage.operations import placing
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
