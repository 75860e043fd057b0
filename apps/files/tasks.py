"""Our own scheduled work: a look at what is due in the trash, names whose keys are of an older version, history and versions past
their time.
"""

from celery import shared_task

from apps.files import api
from apps.files.api import history, retention, versions


@shared_task(name="files.purge_expired_trash")  # type: ignore[untyped-decorator] # celery has no types
def purge_expired_trash() -> bool:
    """Ask for the job that deletes what is due in one tenant, if something is."""
    return api.request_due_purge()


@shared_task(name="files.sweep_locks")  # type: ignore[untyped-decorator] # celery has no types
def sweep_locks() -> int:
    """Clear one tenant's locks whose time is over; returns how many."""
    return api.sweep_locks()


@shared_task(name="files.rekey_names")  # type: ignore[untyped-decorator] # celery has no types
def rekey_names() -> int:
    """Bring the keys of one tenant's names up to the code; returns how many were not."""
    return api.rekey_names()


@shared_task(name="files.forget_past")  # type: ignore[untyped-decorator] # celery has no types
def forget_past() -> int:
    """Delete what one tenant's history need not reach back to any more; returns how many rows."""
    return history.forget_past()


@shared_task(name="files.request_retention")  # type: ignore[untyped-decorator] # celery has no types
def request_retention() -> bool:
    """Ask for the job that puts into the trash what one tenant's retention rules delete, if there are any."""
    return retention.request_retention()


@shared_task(name="files.request_version_expiry")  # type: ignore[untyped-decorator] # celery has no types
def request_version_expiry() -> bool:
    """Ask for the job that deletes older versions which one tenant's rules give up, if there are any."""
    return versions.request_version_expiry()
