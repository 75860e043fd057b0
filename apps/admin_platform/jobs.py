"""Deferred work of administration: verifying a long audit log."""

from datetime import timedelta

import msgspec

from apps.admin_platform import verifying
from apps.admin_platform.dtos import Verification
from apps.admin_platform.operations import CONSUMER
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope


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
