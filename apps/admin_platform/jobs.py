"""Deferred work of administration: verifying a long audit log, and sending it on to a SIEM."""

from datetime import timedelta

import msgspec

from apps.admin_platform import verifying
from apps.admin_platform.dtos import SiemTest, Verification
from apps.admin_platform.operations import CONSUMER
from apps.admin_platform.siem import delivering, waking
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope

OUTBOUND = "outbound"
"""The lane whose workers wait for machines that are not ours."""

TRIES = 1000
"""Tries of a job are those whose worker died, or that the database failed; what receivers answer is counted with the export."""


@jobs.job_kind(
    waking.SEND,
    payload=waking.SendLog,
    lane=OUTBOUND,
    tries=TRIES,
    timeout=timedelta(minutes=2),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def send_log(payload: waking.SendLog, run: jobs.Run) -> int:
    """Send on to a SIEM what it has not had."""
    return delivering.send_log(payload, run)


@jobs.job_kind(
    waking.TEST,
    payload=waking.SendTest,
    lane=OUTBOUND,
    timeout=timedelta(minutes=1),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def send_test(payload: waking.SendTest, run: jobs.Run) -> SiemTest:
    """Send a test to a SIEM."""
    return delivering.send_test(payload)


@jobs.job_kind(
    verifying.KIND,
    payload=verifying.VerifyLog,
    lane=jobs.BULK,
    timeout=timedelta(hours=2),
    kept_for=timedelta(days=1),
    scope=Scope.ADMIN,
)
def verify(payload: verifying.VerifyLog, run: jobs.Run) -> Verification:
    """Recompute the chain of the tenant's log; another try goes on where the last one was."""
    begun = None if run.checkpoint is None else msgspec.convert(run.checkpoint, verifying.Progress)
    return verifying.verify(
        CONSUMER, begun=begun, report=lambda done, total, there: run.report(done, total, checkpoint=there)
    )
