"""Who made a link is told a day before it ends, once, and only if it still does."""

from datetime import timedelta

import msgspec
import pytest

from apps.links import api as links
from apps.links import ending
from apps.notifications import api as notifications
from apps.notifications import telling
from apps.notifications.recording import CONSUMER
from bitvault.events import consuming
from bitvault.jobs.models import Job
from bitvault.kernel import clock
from tests.apps.links.conftest import make_link, published, stranger

pytestmark = pytest.mark.usefixtures("tenant")


def waiting():
    return list(Job.objects.filter(kind=ending.JOB).order_by("run_at"))


def run(job):
    payload = msgspec.convert(job.payload, ending.TellOfEnd, strict=False)
    return ending.tell(link_id=payload.link_id, expires_at=payload.expires_at)


def told():
    return [event for event in published() if event.type == "links.link.ending.v1"]


def test_the_end_of_a_link_is_told_a_day_before(actor, reports):
    end = clock.now() + timedelta(days=9)
    link, _ = make_link(actor, reports, expires_at=end)
    (job,) = waiting()
    assert job.run_at == end - timedelta(days=1)
    assert run(job)
    (event,) = told()
    assert (event.payload["made_by"], event.payload["link_id"]) == (str(actor.user_id), str(link.id))


def test_a_link_without_an_end_or_with_a_near_one_needs_no_word(actor, reports):
    make_link(actor, reports)
    make_link(actor, reports, expires_at=clock.now() + timedelta(hours=30))
    assert waiting() == []


def test_a_link_that_ends_later_or_has_ended_is_not_told_of_at_the_old_time(actor, reports):
    now = clock.now()
    link, _ = make_link(actor, reports, expires_at=now + timedelta(days=3))
    links.change_link(actor=actor, link_id=link.id, changes={"expires_at": now + timedelta(days=30)})
    first, second = waiting()
    assert not run(first)
    links.end_link(actor=actor, link_id=link.id)
    assert not run(second)
    assert told() == []


def test_who_made_the_link_is_told(actor, reports):
    make_link(actor, reports, expires_at=clock.now() + timedelta(days=9))
    run(waiting()[0])
    consuming.consume(CONSUMER)
    telling.tell()
    texts = [notice.text for notice in notifications.list_notices(actor=actor).items]
    assert [text for text in texts if text.startswith("Your link to Reports ends on ")]


def test_who_made_a_link_is_told_once_in_an_hour_that_it_was_opened_and_not_by_mail(actor, reports, make_actor):
    _, token = make_link(actor, reports, kind="view")
    for _ in range(3):
        links.open_page(token=token, unlock=None, visitor=stranger())
    consuming.consume(CONSUMER)
    telling.tell()
    (notice,) = notifications.list_notices(actor=actor).items
    assert (notice.text, notice.topic, notice.count) == (
        "Your link to Reports was opened 3 times",
        "link_used",
        3,
    )
    assert notifications.list_notices(actor=make_actor("olga")).items == []
    assert not Job.objects.filter(kind="mail.send").exists()
