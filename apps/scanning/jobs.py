"""Deferred work of scanning, in a lane of its own: a large file keeps nobody waiting but other files."""

import time
from datetime import timedelta

from apps.scanning import judging, operations, queries
from apps.scanning.operations import BACKLOG_JOB, SCAN_JOB, TAKE_IN_JOB, ScanBacklog, ScanContent, TakeIn
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope

LANE = "scans"

TURN_SECONDS = 30.0
"""How long a tenant's backlog has the worker before others have their turn; it is asked for again every minute."""

BACKLOG_BATCH = 100


@jobs.job_kind(
    SCAN_JOB,
    payload=ScanContent,
    lane=LANE,
    tries=5,
    timeout=timedelta(minutes=30),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def scan_content(payload: ScanContent, run: jobs.Run) -> None:
    """Have a content scanned. A scanner that is away is no failure: the backlog comes back to the content."""
    judging.scan(payload.content_hash, report=run.report)


@jobs.job_kind(
    BACKLOG_JOB,
    payload=ScanBacklog,
    lane=LANE,
    timeout=timedelta(minutes=30),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def scan_backlog(payload: ScanBacklog, run: jobs.Run) -> int:
    """Have what is due scanned, one content after another, for a turn; ends early where the scanner is away. Returns how many."""
    deadline, count = time.monotonic() + TURN_SECONDS, 0
    while due := queries.list_due(BACKLOG_BATCH):
        for content_hash in due:
            if not judging.scan(content_hash, report=lambda _: run.report(run.done_count)):
                return count
            count += 1
            run.report(count)
            if time.monotonic() > deadline:
                return count
    return count


@jobs.job_kind(
    TAKE_IN_JOB,
    payload=TakeIn,
    lane=jobs.BULK,
    timeout=timedelta(hours=2),
    kept_for=timedelta(days=1),
    scope=Scope.ADMIN,
)
def take_in(payload: TakeIn, run: jobs.Run) -> int:
    """Put what was there before scanning was switched on into the backlog; returns how many blobs were looked at."""
    return operations.take_in()
