"""What the scheduler and requests send to storage's workers."""

from uuid import UUID

import structlog
from celery import Task, shared_task

from apps.storage import conformance, jobs, places
from apps.storage.errors import NeedsLonger, StoreFull, StoreUnavailable
from apps.storage.operations import completing, handing, sweeping
from bitvault.kernel import tenancy
from bitvault.kernel.errors import Unavailable
from bitvault.kernel.tasks import for_tenant

logger = structlog.get_logger(__name__)


@shared_task(name="storage.sweep_uploads")  # type: ignore[untyped-decorator] # celery has no types
def sweep_uploads() -> int:
    """Sweep the abandoned uploads of one tenant; returns how many had something done. What the time is too short for, another does."""
    swept = sweeping.sweep_all()
    if not swept.is_done:
        sweep_uploads.apply_async(headers=for_tenant(tenancy.current().id), ignore_result=True)
    return swept.swept_count


@shared_task(name="storage.request_collection")  # type: ignore[untyped-decorator] # celery has no types
def request_collection() -> bool:
    """Have one tenant's unreferenced bytes collected, if any are due."""
    return jobs.request_collection()


@shared_task(name="storage.request_checks")  # type: ignore[untyped-decorator] # celery has no types
def request_checks() -> None:
    """Have one tenant's objects compared with its rows and read again."""
    jobs.request_checks()


@shared_task(  # type: ignore[untyped-decorator] # celery has no types
    name="storage.probe_store",
    tenant_required=False,
    autoretry_for=(StoreUnavailable, StoreFull),
    retry_backoff=True,
    max_retries=8,
)
def probe_store() -> bool:
    """Find out what each store can do, keep it and log what lacks; tells whether BitVault can use the installation's own."""
    for place in places.list_all():
        try:
            conformance.probe_configured(place.id)
        except (StoreUnavailable, StoreFull) as error:
            logger.warning("store_not_probed", store=place.name, error=type(error).__name__)  # the next hour comes
    return conformance.probe_configured().is_fit


@shared_task(name=handing.TASK_NAME, bind=True, max_retries=10)  # type: ignore[untyped-decorator] # celery has no types
def complete_upload(self: Task, upload_id: str) -> str:
    """Go on with a completion that takes longer than a request may wait; returns what became of it."""
    try:
        return completing.go_on(UUID(upload_id))
    except (NeedsLonger, Unavailable) as error:
        if self.request.retries >= self.max_retries:
            handing.give_up(UUID(upload_id))
            return "given up"
        headers = for_tenant(tenancy.current().id)
        raise self.retry(exc=error, countdown=min(60, 2**self.request.retries), headers=headers) from error
