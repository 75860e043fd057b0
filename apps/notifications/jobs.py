"""Deferred work of notifications: where entries lie, and the mails that they cause."""

from datetime import timedelta

from apps.notifications import telling
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope


@jobs.job_kind(
    telling.KIND,
    payload=telling.Tell,
    tries=8,
    timeout=timedelta(minutes=10),
    kept_for=timedelta(minutes=1),
    scope=Scope.ADMIN,
)
def tell(payload: telling.Tell, run: jobs.Run) -> int:
    """Tell of what happened; returns of how many entries. Done again, it goes on where it stopped."""
    return telling.tell()
