"""Scheduled tasks of sharing: the jobs that end shares are there for every end."""

from celery import shared_task

from apps.sharing import asking, expiring


@shared_task(name="sharing.sweep")  # type: ignore[untyped-decorator] # celery has no types
def sweep() -> int:
    """End one tenant's shares whose time is over, see that a job waits for the next end, and forget old requests for access.

    Returns how many shares ended here.
    """
    asking.sweep()
    return expiring.sweep()
