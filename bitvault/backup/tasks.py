"""What the scheduler asks for."""

from typing import Any

from celery import shared_task
from django.conf import settings

from bitvault.backup import runs
from bitvault.backup.jobs import KIND, TakeBackup
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db


@shared_task(name="backup.request", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def request() -> bool:
    """Have today's backup taken, once its hour has come and none was begun since; tells whether one was asked for."""
    wanted: dict[str, Any] = settings.BITVAULT_BACKUP
    now = clock.now()
    due = now.replace(hour=int(wanted["hour"]) % 24, minute=0, second=0, microsecond=0)
    if not wanted["target"] or now < due or runs.was_begun_since(due):
        return False
    with db.public_transaction():
        jobs.enqueue(KIND, TakeBackup(keep=int(wanted["keep"])), key="nightly", by=jobs.SYSTEM, for_installation=True)
    return True
