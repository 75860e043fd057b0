"""Deferred work of the module."""

from datetime import timedelta

from apps.example_module import operations
from bitvault.jobs import api as jobs
from bitvault.kernel import clock


@jobs.job_kind(operations.FORGET_JOB, payload=operations.Forget, lane=jobs.BULK, timeout=timedelta(minutes=10))
def forget(payload: operations.Forget, run: jobs.Run) -> int:
    """Delete old rows step by step; a job that is begun again goes on with what is left. Returns how many this try deleted."""
    before, count = clock.now() - operations.KEPT_FOR, 0
    while step := operations.forget_step(before=before):
        count += step
        run.report(count)
    return count
