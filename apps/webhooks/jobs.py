"""Deferred work of webhooks, in a lane of its own: its workers wait for machines that are not ours."""

from datetime import timedelta

from apps.webhooks import delivering, waking
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope

LANE = "outbound"

TRIES = 1000
"""Tries of a job are those whose worker died, or that the database failed; what receivers answer is counted with the webhook."""


@jobs.job_kind(
    waking.DELIVER,
    payload=waking.Deliver,
    lane=LANE,
    tries=TRIES,
    timeout=timedelta(minutes=2),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def deliver(payload: waking.Deliver, run: jobs.Run) -> int:
    """Send a receiver what it has not had."""
    return delivering.deliver(payload, run)


@jobs.job_kind(
    waking.SEND,
    payload=waking.Send,
    lane=LANE,
    timeout=timedelta(minutes=1),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def send(payload: waking.Send, run: jobs.Run) -> None:
    """Send a test, or a message again."""
    delivering.send_single(payload, run)
