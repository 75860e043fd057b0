"""Deferred work of storage: what runs over all bytes of a tenant."""

from datetime import timedelta

import msgspec

from apps.storage.operations import collecting
from bitvault.jobs import api as jobs
from bitvault.kernel import db
from bitvault.kernel.actor import Scope

COLLECT_JOB = "storage.collect"


class CollectBlobs(msgspec.Struct, frozen=True):
    """What is due in the entered tenant."""


def request_collection() -> bool:
    """Have the entered tenant's unreferenced bytes collected, if any are due; tells whether."""
    if not collecting.is_anything_due():
        return False
    with db.write_transaction():
        jobs.enqueue(COLLECT_JOB, CollectBlobs(), key="collect", by=jobs.SYSTEM)
    return True


@jobs.job_kind(
    COLLECT_JOB,
    payload=CollectBlobs,
    lane=jobs.BULK,
    timeout=timedelta(minutes=25),
    kept_for=timedelta(days=2),
    scope=Scope.ADMIN,
)
def collect_blobs(payload: CollectBlobs, run: jobs.Run) -> dict[str, int]:
    """Condemn and delete what no file holds, until nothing is due."""
    return collecting.collect(report=run.report)
