"""Deferred work of the module."""

from datetime import timedelta

from apps.search import building, making, outgoing, remarking, remarks, sending
from apps.search.contents import READ_JOB, ReadText
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope

LANE = "drawing"
"""The lane of what reads strangers' files, in turn with previews: each takes seconds, and a thousand documents keep no mail waiting."""

TRIES = 8
"""Until the last one ten minutes pass: a store that is started anew is back by then."""

SENDING_TRIES = 150
"""Until the last one a day passes: so long OpenSearch may be away, and its index is current by itself when it is back."""


@jobs.job_kind(
    READ_JOB, payload=ReadText, lane=LANE, tries=TRIES, timeout=timedelta(minutes=2), kept_for=timedelta(days=1)
)
def read_text(payload: ReadText, run: jobs.Run) -> None:
    """Read the text of a content. What cannot be read is noted with its reason, and the worker goes on."""
    making.read_text(payload.content_hash, is_last_try=run.tries >= TRIES)


@jobs.job_kind(
    remarks.READ_JOB,
    payload=remarks.ReadRemarks,
    timeout=timedelta(minutes=10),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def read_remarks(payload: remarks.ReadRemarks, run: jobs.Run) -> None:
    """Read the comments and descriptions that have changed."""
    remarking.read()


@jobs.job_kind(
    outgoing.SEND_JOB,
    payload=outgoing.Send,
    tries=SENDING_TRIES,
    timeout=timedelta(minutes=10),
    kept_for=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def send(payload: outgoing.Send, run: jobs.Run) -> None:
    """Send the documents that have changed to OpenSearch."""
    sending.send()


@jobs.job_kind(
    outgoing.BUILD_JOB,
    payload=outgoing.Build,
    lane=jobs.BULK,
    tries=SENDING_TRIES,
    timeout=timedelta(hours=12),
    scope=Scope.ADMIN,
)
def build(payload: outgoing.Build, run: jobs.Run) -> None:
    """Build the tenant's index in OpenSearch, beside the one that is searched."""
    building.build()
