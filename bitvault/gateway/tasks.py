"""Scheduled tasks that look at every tenant."""

from uuid import UUID

from celery import shared_task

from apps.identity import api as identity
from bitvault.gateway import alarms, anchors, rebuilding, removing_tenants
from bitvault.gateway.celery import app
from bitvault.kernel.tasks import for_tenant


@shared_task(name="gateway.for_each_tenant", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def for_each_tenant(task: str) -> int:
    """Send a tenant's task to each active tenant; returns how many were sent."""
    count = 0
    for tenant in identity.list_active_tenants():
        app.send_task(task, headers=for_tenant(tenant.id), ignore_result=True)
        count += 1
    return count


@shared_task(name="gateway.remove_tenants", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def remove_tenants() -> None:
    """Carry out the deletions of tenants that are due."""
    removing_tenants.remove_tenants()


@shared_task(name="gateway.watch_siem", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def watch_siem() -> None:
    """Tell operators when the installation's SIEM export fails, and when it works again."""
    alarms.watch_siem()


@shared_task(name="gateway.watch_anchors", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def watch_anchors() -> None:
    """Tell operators when anchors do not reach the bucket that locks them, and when they do again."""
    alarms.watch_anchors()


@shared_task(name="gateway.request_anchor_copies", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def request_anchor_copies() -> bool:
    """Have anchors copied to the bucket that locks them, where operators have named one; tells whether they have."""
    return anchors.request()


@shared_task(name=rebuilding.OUTDATED_TASK, tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def rebuild_outdated(job_id: str | None = None) -> bool:
    """Have the next derivation rebuilt that an earlier version has filled.

    :param job_id: the rebuild before it, which is about to end.
    """
    return rebuilding.request_outdated(besides=None if job_id is None else UUID(job_id))
