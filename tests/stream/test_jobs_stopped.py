"""A worker that does a job in its own process, as that of the lane of long jobs does, and is told to stop."""

import os
import signal

import pytest
from celery import Celery

from bitvault.kernel import tenancy
from tests.support import errands

pytestmark = pytest.mark.journey


def test_it_puts_its_job_back_and_another_one_goes_on(stream, nursery, companies, monkeypatch):
    from bitvault.jobs import api as jobs
    from bitvault.jobs import calling, kinds
    from bitvault.kernel import db

    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.setattr(calling, "nudge", lambda _: None)
    errands.register()
    with tenancy.entered(companies.acme), db.write_transaction():
        job_id = jobs.enqueue(errands.KIND, errands.Errand(text="slow"), key="slow", by=jobs.SYSTEM).id

    def state():
        return stream.database.execute("SELECT state, tries FROM jobs_job WHERE id = %s", [job_id]).fetchone()

    def call():
        with Celery(broker=f"{stream.valkey.url}/0", set_as_current=False) as sender:
            sender.send_task("jobs.work", args=["jobs"], queue="jobs")

    worker = nursery.worker(queues="jobs", pool="solo")
    call()
    stream.await_that(lambda: state() == ("running", 1))
    os.kill(worker, signal.SIGTERM)
    stream.await_that(lambda: state() == ("queued", 0))
    nursery.bury(worker)
    nursery.worker(queues="jobs", pool="solo")
    call()
    stream.await_that(lambda: state() == ("done", 1))
    assert errands.effects(stream.database, companies.acme.schema) == ["slow"]
