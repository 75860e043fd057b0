"""The nightly backup, as a job of the installation's own."""

from datetime import timedelta

import msgspec

from bitvault.backup import taking
from bitvault.backup.configured import open_configured
from bitvault.jobs import api as jobs

KIND = "backup.take"

TIMEOUT = timedelta(hours=20)
"""The first one copies everything; what a try has copied, the next one need not."""


class TakeBackup(msgspec.Struct, frozen=True):
    """How many backups there are afterwards."""

    keep: int


class Taken(msgspec.Struct, frozen=True):
    """What was taken."""

    backup_id: str
    object_count: int
    copied_bytes: int
    lost_count: int


@jobs.job_kind(KIND, payload=TakeBackup, lane=jobs.BULK, tries=5, timeout=TIMEOUT, kept_for=timedelta(days=30))
def take(payload: TakeBackup, run: jobs.Run) -> Taken:
    """Take a backup, or go on with the one that the last try has begun."""
    done = taking.take(
        open_configured(writes=True), keep=payload.keep or None, report=lambda _, count, total: run.report(count, total)
    )
    return Taken(done.id, done.object_count, done.copied_bytes, done.lost_count)
