"""Scheduled tasks that run for every tenant."""

from celery import shared_task

from apps.identity import api as identity
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
