"""Our own clockwork: what is due in the trash, and purges that a request has begun."""

from celery import shared_task

from apps.files import api
from apps.files.operations.purging import TASK_NAME


@shared_task(name=TASK_NAME)  # type: ignore[untyped-decorator] # celery has no types
def purge_expired_trash() -> int:
    """Delete for ever what is due in one tenant, and finish purges that were begun; returns how many."""
    return api.purge_expired()
