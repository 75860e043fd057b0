"""Deferred work of sharing: shares that end, and what somebody has been given, and has given, who has left the tenant."""

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.identity import api as identity
from apps.sharing import asking, expiring, handing_over, leaving, shortcuts
from bitvault.jobs import api as jobs
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Scope


class HandOver(msgspec.Struct, frozen=True):
    """Who has left."""

    user_id: UUID


@jobs.job_kind(
    "sharing.hand_over",
    payload=HandOver,
    lane=jobs.BULK,
    tries=20,
    timeout=timedelta(minutes=30),
    kept_for=timedelta(days=30),
    scope=Scope.ADMIN,
    follows="identity.departure",
)
def hand_over(payload: HandOver, run: jobs.Run) -> int:
    """Give the successor the shares of who has left; again, as long as the successor leaves meanwhile. Returns how many changed hands."""
    count = 0
    heir_id: UUID | None = None
    while True:
        found = identity.find_succession(tenant=tenancy.current(), user_id=payload.user_id)
        if found is None or found.successor_id == heir_id:
            return count
        heir_id = found.successor_id
        for former in found.left:
            leaving.forget_person(former.user_id)
            shortcuts.forget_person(former.user_id)
            if former.was_guest:
                handing_over.end_received(user_id=former.user_id, by=run.requester.id)
            count += handing_over.hand_over(
                user_id=former.user_id, successor_id=heir_id, by=run.requester.id, report=run.report
            )


@jobs.job_kind(
    expiring.EXPIRE_JOB,
    payload=expiring.Expire,
    timeout=timedelta(minutes=5),
    kept_for=timedelta(days=1),
    scope=Scope.ADMIN,
)
def expire(payload: expiring.Expire, run: jobs.Run) -> int:
    """End the shares whose time is over, and tell the stream. Returns how many there were."""
    return expiring.end_due(run)


@jobs.job_kind(asking.ASK_JOB, payload=asking.Ask, kept_for=timedelta(days=1), scope=Scope.ADMIN)
def ask(payload: asking.Ask, run: jobs.Run) -> bool:
    """Take a request for access to whoever can answer it, where there is such a node. Returns whether there is."""
    return asking.take_on(payload.request_id, run)
