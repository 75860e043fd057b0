"""Copying the anchors of all tenants' audit logs to the bucket that locks them: one job of the installation's own, in turns.

The store is one for all, so the first failure ends a turn. Nothing waits for it: anchors are signed and kept here in any case.
"""

import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from apps.admin_platform.api import locked
from apps.identity import api as identity
from bitvault.jobs import api as jobs
from bitvault.kernel import db, tenancy

KIND = "audit.copy_anchors"

BATCH = 100
"""Anchors of one tenant before the next one's: a log that is copied for the first time keeps no other waiting."""

TURN_SECONDS = 60.0


class CopyAnchors(msgspec.Struct, frozen=True):
    """All tenants' anchors."""


class Copied(msgspec.Struct, frozen=True):
    """What a turn has done, and what it has left."""

    copied_count: int
    waiting_count: int
    failure: str


def request() -> bool:
    """Have anchors copied, where operators have named a bucket; tells whether they have."""
    if locked.find_locked_bucket() is None:
        return False
    with db.public_transaction():
        jobs.enqueue(KIND, CopyAnchors(), key="anchors", by=jobs.SYSTEM, for_installation=True)
    return True


@jobs.job_kind(
    KIND,
    payload=CopyAnchors,
    lane="outbound",
    timeout=timedelta(minutes=5),
    kept_for=timedelta(hours=1),
)
def copy_anchors(payload: CopyAnchors, run: jobs.Run) -> Copied:
    """Copy what is new of each tenant; a killed one is followed by another, which puts nothing twice that counts."""
    bucket = locked.find_locked_bucket()
    if bucket is None:
        return Copied(0, 0, "")
    tenants = list(identity.list_active_tenants())
    # Whoever comes last in one turn does not in the next.
    random.shuffle(tenants)
    count, trouble = 0, None
    try:
        bucket.require_lock()
        count = _copy(bucket, tenants, run)
    except locked.Trouble as error:
        trouble = error
    waiting_count, waiting_since = _count_waiting(bucket, tenants)
    locked.note_anchor_turn(bucket=bucket, waiting_count=waiting_count, waiting_since=waiting_since, trouble=trouble)
    return Copied(count, waiting_count, "" if trouble is None else trouble.code)


def _copy(bucket: locked.LockedBucket, tenants: Sequence[tenancy.Tenant], run: jobs.Run) -> int:
    until, count, behind = time.monotonic() + TURN_SECONDS, 0, list(tenants)
    while behind and time.monotonic() < until:
        later = []
        for tenant in behind:  # each tenant's anchors are in a schema of its own
            if time.monotonic() >= until:
                break
            with tenancy.entered(tenant):
                copied = locked.copy_anchors(bucket=bucket, limit=BATCH, until=until)
            count += copied
            if copied == BATCH:
                later.append(tenant)
            run.report(count)
        behind = later
    return count


def _count_waiting(bucket: locked.LockedBucket, tenants: Sequence[tenancy.Tenant]) -> tuple[int, datetime | None]:
    count, moments = 0, []
    for tenant in tenants:
        with tenancy.entered(tenant):
            waiting = locked.count_waiting_anchors(bucket=bucket)
        count += waiting.count
        if waiting.since is not None:
            moments.append(waiting.since)
    return count, min(moments, default=None)
