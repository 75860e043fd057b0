"""Kinds of jobs of the tests' own, beside those of the product."""

from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest

LONG_AGO = timedelta(hours=1)


class Errand(msgspec.Struct, frozen=True):
    """What a job of the tests is to do."""

    text: str = ""


@dataclass
class Desk:
    """Asks for jobs, does them, and keeps what they did."""

    done: list = field(default_factory=list)
    act: object = None

    def ask(self, text="", *, kind="tests.errand", key=None, by=None, **more):
        from bitvault.jobs import api as jobs
        from bitvault.kernel import db

        with db.write_transaction():
            return jobs.enqueue(kind, Errand(text=text), key=key or text or "once", by=by or jobs.SYSTEM, **more)

    def row(self, job):
        from bitvault.jobs.models import Job

        return Job.objects.get(pk=job.id)

    def row_of(self, job):
        from bitvault.jobs.models import Job

        return Job.objects.get(pk=job.pk)

    def run(self, lane="jobs"):
        """Do everything that is due; returns how many jobs ran."""
        from bitvault.jobs import running

        count = 0
        while running.run_next(lane):
            count += 1
        return count

    def hurry(self):
        """Let everything be due now that waits for a further try."""
        from bitvault.jobs.models import Job
        from bitvault.kernel import clock

        Job.objects.filter(state="queued").update(run_at=clock.now())

    def bury(self):
        """Find out that the workers of all running jobs have died."""
        from bitvault.jobs import leasing
        from bitvault.jobs.models import Job
        from bitvault.kernel import clock

        Job.objects.filter(state="running").update(lease_until=clock.now() - LONG_AGO)
        return leasing.rescue()


@pytest.fixture
def desk(committed, monkeypatch):
    from bitvault.jobs import calling, kinds

    desk = Desk()
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.setattr(calling, "nudge", lambda _: None)

    def work(payload, run):
        desk.done.append(payload.text)
        return desk.act(payload, run) if desk.act else {"said": payload.text}

    kinds.job_kind("tests.errand", payload=Errand, tries=3)(work)
    kinds.job_kind("tests.other", payload=Errand)(work)
    kinds.job_kind("tests.bulk", payload=Errand, lane="bulk")(work)
    return desk
