"""What an earlier version has filled is found when a new one starts, and rebuilt: by itself, one tenant after another."""

from contextvars import copy_context
from datetime import timedelta

import pytest
from django.test import Client

from apps.files import api as files
from apps.identity import api as identity
from bitvault.events import consuming, cursors, operating
from bitvault.events.models import ConsumerCursor
from bitvault.gateway import rebuilding, service_checks, tasks
from bitvault.jobs import running
from bitvault.jobs.models import Job
from bitvault.kernel import clock, tenancy

pytestmark = pytest.mark.committed

NAME = "search"


@pytest.fixture
def outdated(acme, beta, actor):
    """Two tenants whose search an earlier version has filled."""
    with tenancy.entered(acme):
        files.ensure_personal_root(actor=actor)
        consuming.consume(NAME)
    ConsumerCursor.objects.filter(consumer=NAME).update(shape=0)
    return sorted([acme.id, beta.id])


def list_asked(**which):
    rows = Job.objects.filter(kind=rebuilding.REBUILD_JOB, **which).order_by("id")
    return list(rows.values_list("tenant_id", flat=True))


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What rebuilds send to the workers at their end."""
    messages = []

    def send(name, args, **_):
        if name == tasks.rebuild_outdated.name:
            messages.extend(args)

    monkeypatch.setattr(rebuilding.app, "send_task", send)
    return messages


def work(sent=()):
    """Do one job, in a context of its own as a worker has, and then what it has sent."""
    has_worked = copy_context().run(running.run_next, "bulk")
    for job_id in sent:
        tasks.rebuild_outdated(job_id)
    return has_worked


def test_a_new_tenant_has_nothing_to_rebuild(acme, beta):
    assert operating.list_outdated() == []
    ConsumerCursor.objects.filter(consumer=NAME).delete()
    cursors.ensure_cursors()
    assert operating.list_outdated() == [], "who reads the stream from its beginning has filled it"
    assert not rebuilding.request_outdated()


def test_one_tenant_after_another_is_rebuilt_and_each_asks_for_the_next(outdated, sent):
    assert operating.list_outdated() == [(NAME, tenant_id) for tenant_id in outdated]
    assert rebuilding.request_outdated()
    assert not rebuilding.request_outdated(), "one at a time"
    assert list_asked(state="queued") == outdated[:1]
    assert work(sent)
    assert (list_asked(state="done"), list_asked(state="queued")) == (outdated[:1], outdated[1:])
    assert work()
    assert operating.list_outdated() == []
    assert not work(), "that was all"
    assert not rebuilding.request_outdated()


def test_one_that_fails_keeps_no_other_waiting_and_is_tried_again_later(outdated, monkeypatch):
    swap = consuming.get_consumer(NAME).rebuild

    def fail():
        if tenancy.current().id == outdated[0]:
            raise ZeroDivisionError("no such luck")
        return swap()

    monkeypatch.setattr(consuming.get_consumer(NAME), "rebuild", fail)
    assert rebuilding.request_outdated()
    for _ in range(3):
        work()
        Job.objects.filter(state="queued").update(run_at=clock.now())
    assert list_asked(state="failed") == outdated[:1]
    assert rebuilding.request_outdated()
    work()
    assert operating.list_outdated() == [(NAME, outdated[0])]
    assert not rebuilding.request_outdated(), "not again at once"
    Job.objects.filter(state="failed").update(finished_at=clock.now() - timedelta(hours=2))
    monkeypatch.setattr(consuming.get_consumer(NAME), "rebuild", swap)
    assert rebuilding.request_outdated()
    work()
    assert operating.list_outdated() == []


def test_a_suspended_tenant_waits_until_it_is_back(outdated):
    for tenant_id in outdated:
        identity.suspend_tenant(tenant_id=tenant_id)
    assert not rebuilding.request_outdated()
    identity.activate_tenant(tenant_id=outdated[1])
    assert rebuilding.request_outdated()
    assert list_asked() == outdated[1:]


def test_what_waits_for_its_rebuild_does_not_know_of_the_next_version(outdated, acme):
    with tenancy.entered(acme):
        assert cursors.is_outdated(NAME)
        operating.rebuild(consumer=NAME, by=None)
        assert not cursors.is_outdated(NAME)
    ConsumerCursor.objects.filter(consumer=NAME).update(shape=consuming.list_shapes()[NAME] + 1)
    assert operating.list_outdated() == [], "an earlier version that runs beside the next one rebuilds nothing"


def test_operators_see_it_on_the_pages_and_the_doctor_tells(outdated):
    from apps.identity.models import User

    told = "Filled by an earlier version: rebuilt by itself, one tenant after another"
    operator = Client(headers={"host": "admin.localhost"})
    operator.force_login(User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password"))
    pages = ("/admin/stream/", "/admin/search/")
    assert [operator.get(page).content.decode().count(told) for page in pages] == [2, 2]
    facts = [finding.fact for finding in service_checks.check_queues()]
    assert "What search keeps was filled by an earlier version in 2 tenants." in facts
    rebuilding.request_outdated()
    work()
    rebuilding.request_outdated()
    work()
    assert [operator.get(page).content.decode().count(told) for page in pages] == [0, 0]
    assert not any("earlier version" in finding.fact for finding in service_checks.check_queues())
