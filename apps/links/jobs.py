"""Deferred work of links: visits that nobody has ended are told of, and links that end soon."""

from apps.links import ending, receiving
from bitvault.jobs import api as jobs


@jobs.job_kind(receiving.FINISH_JOB, payload=receiving.FinishSubmission, lane=jobs.SHORT)
def finish_submission(payload: receiving.FinishSubmission, run: jobs.Run) -> None:
    """Tell of what has come of a visit whose page was closed."""
    receiving.finish(submission_id=payload.submission_id)


@jobs.job_kind(ending.JOB, payload=ending.TellOfEnd, lane=jobs.SHORT)
def tell_of_end(payload: ending.TellOfEnd, run: jobs.Run) -> None:
    """Tell who made a link that it ends within a day."""
    ending.tell(link_id=payload.link_id, expires_at=payload.expires_at, run=run)
