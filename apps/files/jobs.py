"""Deferred work of files: purges, what retention rules delete, older versions, and what somebody has kept here who has left the
tenant, which goes to their successor.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.files import api
from apps.files.operations import expiring, handing_over, locking, purging
from apps.files.retention import applying
from apps.identity import api as identity
from bitvault.jobs import api as jobs
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Scope


class HandOver(msgspec.Struct, frozen=True):
    """Who has left."""

    user_id: UUID


@jobs.job_kind(
    "files.hand_over",
    payload=HandOver,
    lane=jobs.BULK,
    tries=20,
    timeout=timedelta(minutes=30),
    kept_for=timedelta(days=30),
    scope=Scope.ADMIN,
    follows="identity.departure",
)
def hand_over(payload: HandOver, run: jobs.Run) -> handing_over.HandedOver | None:
    """End the locks of who has left, and put the personal roots into the successor's; again, as long as the successor leaves meanwhile.

    Who is found by the second look has left after the first one, and their own job may have been done by then.
    """
    locking.release_all_of(payload.user_id)
    done: handing_over.HandedOver | None = None
    heir_id: UUID | None = None
    while True:
        found = identity.find_succession(tenant=tenancy.current(), user_id=payload.user_id)
        if found is None or found.successor_id == heir_id:
            return done
        heir_id = found.successor_id
        for former in found.left:
            node_id = handing_over.hand_over(
                user_id=former.user_id, name=former.name, successor_id=heir_id, by=run.requester.id, report=run.report
            )
            if node_id is not None:
                done = handing_over.HandedOver(node_id=node_id, successor_id=heir_id)


@jobs.job_kind(
    purging.PURGE_JOB, payload=purging.Purge, lane=jobs.BULK, tries=8, timeout=timedelta(hours=2), scope=Scope.ADMIN
)
def purge(payload: purging.Purge, run: jobs.Run) -> int:
    """Delete what is due in the trash until nothing is; a job that is begun again goes on. Returns how many purges this try finished."""
    return api.purge_expired()


@jobs.job_kind(
    applying.APPLY_JOB,
    payload=applying.ApplyRetention,
    lane=jobs.BULK,
    tries=8,
    timeout=timedelta(hours=2),
    scope=Scope.ADMIN,
)
def apply_retention(payload: applying.ApplyRetention, run: jobs.Run) -> int:
    """Put into the trash what retention rules delete by now. Returns how many files this try has put there."""
    return applying.apply(report=run.report)


@jobs.job_kind(
    expiring.EXPIRE_JOB,
    payload=expiring.ExpireVersions,
    lane=jobs.BULK,
    tries=8,
    timeout=timedelta(hours=2),
    scope=Scope.ADMIN,
)
def expire_versions(payload: expiring.ExpireVersions, run: jobs.Run) -> int:
    """Delete older versions that the vault's rules give up by now. Returns how many this try has deleted."""
    return expiring.expire(report=run.report)
