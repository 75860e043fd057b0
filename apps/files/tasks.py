"""Our own scheduled work: what is due in the trash, purges that a request has begun, names whose keys are of an older version."""

from celery import shared_task

from apps.files import api
from apps.files.operations.purging import TASK_NAME


@shared_task(name=TASK_NAME)  # type: ignore[untyped-decorator] # celery has no types
def purge_expired_trash() -> int:
    """Delete for ever what is due in one tenant, and finish purges that were begun; returns how many are through."""
    return api.purge_expired()


@shared_task(name="files.rekey_names")  # type: ignore[untyped-decorator] # celery has no types
def rekey_names() -> int:
    """Bring the keys of one tenant's names up to the code; returns how many were not."""
    return api.rekey_names()
