"""Deferred work of notifications: where entries lie, the mails that they cause, and what is pushed to browsers."""

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.notifications import pushes, pushing, telling
from bitvault.events.api import publish
from bitvault.events.catalog.notifications import LongJobEnded
from bitvault.jobs import api as jobs
from bitvault.kernel import db
from bitvault.kernel.actor import Scope


class Ended(msgspec.Struct, frozen=True):
    """A long job of somebody has ended."""

    job_id: UUID
    kind: str
    user_id: UUID
    state: str


@jobs.job_kind(
    "notifications.job_ended", payload=Ended, kept_for=timedelta(minutes=1), scope=Scope.ADMIN, follows=jobs.ENDED
)
def tell_of_end(payload: Ended, run: jobs.Run) -> None:
    """Let the stream tell that somebody's long job has ended, once."""
    with db.write_transaction():
        publish(
            LongJobEnded(
                job_id=payload.job_id, job_kind=payload.kind, user_id=payload.user_id, is_done=payload.state == "done"
            )
        )
        run.complete()


@jobs.job_kind(
    telling.KIND,
    payload=telling.Tell,
    tries=8,
    timeout=timedelta(minutes=10),
    kept_for=timedelta(minutes=1),
    scope=Scope.ADMIN,
)
def tell(payload: telling.Tell, run: jobs.Run) -> int:
    """Tell of what happened; returns of how many entries. Done again, it goes on where it stopped."""
    return telling.tell()


@jobs.job_kind(
    pushes.KIND,
    payload=pushes.Push,
    # Its workers wait for machines that are not ours, as those of webhooks do.
    lane="outbound",
    timeout=timedelta(minutes=1),
    kept_for=timedelta(minutes=1),
    scope=Scope.ADMIN,
)
def push(payload: pushes.Push, run: jobs.Run) -> None:
    """Send a message to a browser. Done again, the browser shows it in place of the first one."""
    pushing.push(payload, run)
