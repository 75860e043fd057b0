"""Deferred work of the module."""

from datetime import timedelta

from apps.previews import making
from apps.previews.operations import MAKE_JOB, MakePreview
from bitvault.jobs import api as jobs

LANE = "drawing"
"""A lane of its own: a thousand pictures that were just uploaded keep no mail waiting, and nothing of hours keeps a picture waiting."""


TRIES = 3


@jobs.job_kind(
    MAKE_JOB, payload=MakePreview, lane=LANE, tries=TRIES, timeout=timedelta(minutes=2), kept_for=timedelta(days=1)
)
def make_preview(payload: MakePreview, run: jobs.Run) -> None:
    """Make a preview of a content. What cannot be read ends the job for good, and the worker goes on."""
    making.make(payload, is_last_try=run.tries >= TRIES)
