"""Being told of the end of long jobs, and of webhooks that were switched off."""

from datetime import timedelta

import pytest

from apps.notifications import api as notifications
from apps.notifications import queries
from bitvault.events.api import publish
from bitvault.events.catalog.webhooks import WebhookDisabled
from bitvault.events.models import StreamEvent
from bitvault.jobs import api as jobs
from bitvault.jobs import kinds, running
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids
from bitvault.kernel.errors import Invalid
from tests.jobs.conftest import Errand, desk

__all__ = ["desk"]

pytestmark = pytest.mark.committed


@pytest.fixture
def long_job(desk, tenant):
    """Do a job of somebody's; ``age``: for how long it was wanted; ``fails``: it does so."""

    def work(payload, run):
        if payload.text == "fails":
            raise Invalid
        return "done"

    kinds.job_kind("tests.long", payload=Errand, tells_end=True)(work)

    def do(by, *, age=running.TOLD_AFTER, text=""):
        job = desk.ask(text, kind="tests.long", key=ids.new_id().hex, by=by)
        Job.objects.filter(pk=job.id).update(created_at=clock.now() - age)
        desk.run()
        return job

    return do


def ended():
    return StreamEvent.objects.filter(type="notifications.long_job.ended.v1")


def test_who_asked_for_a_long_job_is_told_of_its_end_and_nobody_else(tree, teller, olga, long_job):
    teller.catch_up()
    long_job(jobs.Requester.of(tree.actor))
    assert teller.texts(tree.actor) == ["Something that you had started is done"]
    assert teller.texts(olga) == []
    long_job(jobs.Requester.of(tree.actor), text="fails")
    assert teller.texts(tree.actor)[0] == "Something that you had started has failed"
    assert teller.notices(tree.actor).unread_count == 2


def test_a_short_job_and_one_that_nobody_asked_for_are_not_told(tree, long_job):
    long_job(jobs.Requester.of(tree.actor), age=timedelta(seconds=1))
    long_job(jobs.SYSTEM)
    assert not ended().exists()


def test_administrators_are_told_of_a_webhook_that_was_switched_off_and_where_to_look(tree, teller, adam):
    teller.catch_up()
    webhook_id = ids.new_id()
    with db.write_transaction():
        publish(WebhookDisabled(webhook_id=webhook_id, reason="failing"))
    assert teller.texts(adam) == ["A webhook was switched off because its receiver takes no messages"]
    assert teller.texts(tree.actor) == []
    (line,) = notifications.open_notices(actor=adam).items
    assert line.path == f"/settings/webhooks/{webhook_id}/"
    assert {mail.subject for mail in teller.mails()} == {
        "A webhook was switched off because its receiver takes no messages"
    }


def test_what_comes_while_notices_are_read_is_never_counted_without_being_shown(tree, teller, long_job, monkeypatch):
    """A panel that knew of it already would not be filled again."""
    teller.catch_up()
    long_job(jobs.Requester.of(tree.actor))
    teller.catch_up()
    count = queries.count_unread

    def count_while_another_comes(*arguments):
        before = count(*arguments)
        long_job(jobs.Requester.of(tree.actor), text="fails")
        teller.catch_up()
        return before

    monkeypatch.setattr(queries, "count_unread", count_while_another_comes)
    told = notifications.open_notices(actor=tree.actor)
    assert (len(told.items), told.unread_count) == (2, 1)
