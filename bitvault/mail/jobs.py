"""The job that sends a mail."""

from datetime import timedelta

from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope
from bitvault.mail import sending
from bitvault.mail.api import KIND, SendMail

TRIES = 11
"""With the backoff, a mail server may be away for half an hour."""


@jobs.job_kind(KIND, payload=SendMail, tries=TRIES, timeout=timedelta(minutes=1), scope=Scope.ADMIN)
def send(payload: SendMail, run: jobs.Run) -> dict[str, bool]:
    """Send it. A worker that dies after the server took it sends it again, under the same Message-ID."""
    sent = sending.send(name=payload.name, reference=payload.reference, facts=payload.facts, mail_id=run.job_id)
    return {"sent": sent}
