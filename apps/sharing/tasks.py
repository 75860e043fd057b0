"""Scheduled tasks of sharing: the jobs that end shares are there for every end."""

from celery import shared_task

from apps.sharing import expiring


@shared_task(name="sharing.sweep")  # type: ignore[untyped-decorator] # celery has no types
def sweep() -> int:
    """End one tenant's shares whose time is over and see that a job waits for the next end; returns how many ended here."""
    return expiring.sweep()
