"""Storage's own clockwork."""

from celery import shared_task

from apps.storage import conformance
from apps.storage.errors import StoreFull, StoreUnavailable
from apps.storage.operations import sweeping


@shared_task(name="storage.sweep_uploads")  # type: ignore[untyped-decorator] # celery has no types
def sweep_uploads() -> int:
    """Sweep the abandoned uploads of one tenant; returns how many attempts were visited."""
    return sweeping.sweep_all()


@shared_task(  # type: ignore[untyped-decorator] # celery has no types
    name="storage.probe_store",
    tenant_required=False,
    autoretry_for=(StoreUnavailable, StoreFull),
    retry_backoff=True,
    max_retries=8,
)
def probe_store() -> bool:
    """Find out what the configured store can do, keep it and log what lacks; tells whether BitVault can use it."""
    return conformance.probe_configured().is_fit
