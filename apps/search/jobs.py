"""Deferred work of the module."""

from datetime import timedelta

from apps.search import making
from apps.search.contents import READ_JOB, ReadText
from bitvault.jobs import api as jobs

LANE = "drawing"
"""The lane of what reads strangers' files, in turn with previews: each takes seconds, and a thousand documents keep no mail waiting."""

TRIES = 8
"""Until the last one ten minutes pass: a store that is started anew is back by then."""


@jobs.job_kind(
    READ_JOB, payload=ReadText, lane=LANE, tries=TRIES, timeout=timedelta(minutes=2), kept_for=timedelta(days=1)
)
def read_text(payload: ReadText, run: jobs.Run) -> None:
    """Read the text of a content. What cannot be read is noted with its reason, and the worker goes on."""
    making.read_text(payload.content_hash, is_last_try=run.tries >= TRIES)
