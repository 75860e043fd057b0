"""Storage's own clockwork."""

from celery import shared_task

from apps.storage import conformance
from apps.storage.errors import StoreUnavailable
from apps.storage.operations import sweeping
from bitvault.kernel import tenancy
from bitvault.kernel.tasks import for_tenant


@shared_task(name="storage.sweep_uploads")  # type: ignore[untyped-decorator] # celery has no types
def sweep_uploads() -> int:
    """Sweep the abandoned uploads of one tenant; returns how many had something done. What the time is too short for, another does."""
    swept = sweeping.sweep_all()
    if not swept.is_done:
        sweep_uploads.apply_async(headers=for_tenant(tenancy.current().id), ignore_result=True)
    return swept.swept_count


@shared_task(  # type: ignore[untyped-decorator] # celery has no types
    name="storage.probe_store",
    tenant_required=False,
    autoretry_for=(StoreUnavailable,),
    retry_backoff=True,
    max_retries=8,
)
def probe_store() -> bool:
    """Find out what the configured store can do, keep it and log what lacks; tells whether BitVault can use it."""
    return conformance.probe_configured().is_fit
