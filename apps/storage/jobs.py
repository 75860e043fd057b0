"""Deferred work of storage: what runs over all bytes of a tenant."""

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.storage.operations import collecting, moving, reconciling, relocating, scrubbing
from bitvault.jobs import api as jobs
from bitvault.kernel import db
from bitvault.kernel.actor import Scope

COLLECT_JOB = "storage.collect"
RECONCILE_JOB = "storage.reconcile"
SCRUB_JOB = "storage.scrub"


class CollectBlobs(msgspec.Struct, frozen=True):
    """What is due in the entered tenant."""


def request_collection() -> bool:
    """Have the entered tenant's unreferenced bytes collected, if any are due, and its move gone on with; tells whether any are due."""
    move = moving.find_active()
    if move is not None:
        with db.write_transaction():
            moving.enqueue(UUID(str(move.id)))
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


class ReconcileObjects(msgspec.Struct, frozen=True):
    """The entered tenant's objects and rows."""


class ScrubObjects(msgspec.Struct, frozen=True):
    """What is due in the entered tenant."""


def request_checks() -> None:
    """Have the entered tenant's objects compared with its rows, and those that were not read for long read again."""
    with db.write_transaction():
        jobs.enqueue(RECONCILE_JOB, ReconcileObjects(), key="reconcile", by=jobs.SYSTEM)
        jobs.enqueue(SCRUB_JOB, ScrubObjects(), key="scrub", by=jobs.SYSTEM)


@jobs.job_kind(
    RECONCILE_JOB,
    payload=ReconcileObjects,
    lane=jobs.BULK,
    timeout=timedelta(minutes=25),
    kept_for=timedelta(days=2),
    scope=Scope.ADMIN,
)
def reconcile_objects(payload: ReconcileObjects, run: jobs.Run) -> dict[str, int]:
    """Delete what nothing names, and tell what is missing; another try goes on where the last one has ended."""
    return reconciling.reconcile_by_job(run)


@jobs.job_kind(
    SCRUB_JOB,
    payload=ScrubObjects,
    lane=jobs.BULK,
    timeout=timedelta(minutes=25),
    kept_for=timedelta(days=2),
    scope=Scope.ADMIN,
)
def scrub_objects(payload: ScrubObjects, run: jobs.Run) -> dict[str, int]:
    """Read what was not read for long, and put what has rotted into quarantine."""
    return scrubbing.scrub(report=run.report)


MOVE_SECONDS = 20 * 60.0
"""How long one run works on a move; the next one goes on some minutes later."""


@jobs.job_kind(
    moving.MOVE_JOB,
    payload=moving.MoveObjects,
    lane=jobs.BULK,
    timeout=timedelta(minutes=25),
    kept_for=timedelta(days=2),
    scope=Scope.ADMIN,
)
def move_objects(payload: moving.MoveObjects, run: jobs.Run) -> dict[str, str]:
    """Bring a tenant's objects to another store; another try goes on wherever the last one has ended."""
    return {"state": relocating.go_on(payload.move_id, seconds=MOVE_SECONDS, report=run.report)}
