"""Doors of runs over the object store, for operators."""

from collections.abc import Iterable
from uuid import UUID

from apps.storage import queries
from apps.storage.dtos import LastRun
from bitvault.kernel.boundary import exposed


@exposed
def list_last_runs() -> list[LastRun]:
    """Read the last collection, reconciliation and scrub that did or found something, whichever tenant's; one query."""
    return queries.list_last_runs()


@exposed
def list_stopped(*, tenant_ids: Iterable[UUID]) -> set[UUID]:
    """Tell which of these tenants have a last run over the store that was stopped by a brake or failed; one query."""
    return queries.list_stopped(tenant_ids)
