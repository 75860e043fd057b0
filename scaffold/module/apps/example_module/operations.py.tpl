"""Writes of the module. The transaction of a consumer is opened by its caller, all others are opened here."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from apps.example_module.models import Version
from bitvault.jobs import api as jobs
from bitvault.jobs.dtos import Job
from bitvault.kernel import db
from bitvault.kernel.actor import Actor

CONSUMER = "example_module"
"""Under which name the module reads the stream; its queue has the same name."""

FORGET_JOB = "example_module.forget"

KEPT_FOR = timedelta(days=365)

STEP = 1000
"""Rows deleted by one statement."""


class Forget(msgspec.Struct, frozen=True):
    """Delete what is older than the time for which rows are kept."""


def keep(versions: Sequence[Version]) -> None:
    """Write rows of committed versions inside the open transaction; those that are there already stay as they are."""
    raise NotImplementedError


def start_cleanup(*, actor: Actor) -> Job:
    """Ask for the job that deletes old rows."""
    with db.write_transaction():
        return jobs.enqueue(FORGET_JOB, Forget(), key="all", by=jobs.Requester.of(actor))


def forget_step(*, before: datetime) -> int:
    """Delete the rows of up to ``STEP`` versions that were committed before a moment; returns how many."""
    raise NotImplementedError
