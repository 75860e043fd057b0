"""The operators' page of mails: what waits, was sent and failed, sent again by who may, and no recipient or text anywhere."""

from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.identity import api as identity
from apps.identity.models import User
from bitvault.jobs.models import Job
from bitvault.kernel import clock
from bitvault.mail.api import KIND
from tests.apps.identity.posting import deliver
from tests.support.world import ACME, PASSWORD

MIA = ACME.people["mia"]


def client_of(email, role=None):
    person = User.objects.create_superuser(email=email, password=PASSWORD)
    if role is not None:
        User.objects.filter(pk=person.pk).update(is_superuser=False)
        person.groups.add(Group.objects.get(name=role))
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(person)
    client.person = person
    return client


@pytest.fixture
def operator(db, acme):
    return client_of("ops@bitvault.test")


def make(state="failed", *, kind=KIND, name="identity.new_sign_in", error="", tries=1, result=None, tenant=ACME):
    now = clock.now()
    ended = None if state in ("queued", "running") else now
    return Job.objects.create(
        tenant_id=tenant and tenant.id,
        kind=kind,
        lane="jobs",
        key=uuid4().hex,
        state=state,
        payload={"name": name, "reference": str(uuid4()), "facts": {}},
        error=error,
        tries=tries,
        result=result,
        run_at=now,
        created_at=now,
        created_by_kind="system",
        finished_at=ended,
    )


def read(operator, query=""):
    answer = operator.get(f"/admin/mails/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_was_sent_is_there_without_recipient_and_text(operator):
    identity.ask_for_password_reset(email=MIA.email, address="10.1.1.1")
    assert "identity.reset_password" in read(operator)
    (letter,) = deliver()
    page = read(operator)
    assert ">sent<" in page
    assert MIA.email not in page
    code = letter.body.split()[-1]
    assert code not in page


def test_each_state_has_its_word(operator):
    make("queued", tries=0)
    make("queued", tries=3, error="MailNotSent: reply 451")
    make("failed", error="MailRefused: reply 550")
    make("done", result={"sent": True})
    make("done", result={"sent": False})
    make("canceled")
    page = read(operator)
    for word in ("waiting", "put off", "reply 451", "reply 550", ">sent<", "nothing to tell any more", "canceled"):
        assert word in page, word
    assert read(operator, "?state=failed").count('<th scope="row">') == 1
    assert read(operator, "?state=nonsense").count('<th scope="row">') == 6


def test_it_is_searched_by_tenant_and_kind(operator, beta):
    make(name="identity.new_sign_in")
    make(name="identity.invitation", tenant=None)
    assert read(operator, "?q=acm").count('<th scope="row">') == 1
    assert read(operator, "?mail=identity.invitation").count('<th scope="row">') == 1
    assert "There is no such mail." in read(operator, "?q=beta")
    assert read(operator, "?mail=%00&q=%00&p=x").count('<th scope="row">') in (0, 2)


def test_failed_ones_are_sent_again_and_the_journal_says_who_did(operator):
    failed, other, done = make(), make(kind="tests.other"), make("done", result={"sent": True})
    operator.post("/admin/mails/again", {"id": failed.pk})
    for job in (failed, other, done):
        job.refresh_from_db()
    assert (failed.state, other.state, done.state) == ("queued", "failed", "done")
    entry = LogEntry.objects.get(user=operator.person)
    assert (entry.object_id, entry.change_message) == (str(failed.pk), "Run again.")
    operator.post("/admin/mails/again", {"id": other.pk})
    operator.post("/admin/mails/again", {"id": done.pk})
    operator.post("/admin/mails/again", {"id": "x"})
    other.refresh_from_db()
    assert other.state == "failed", "no other kind of job by this way"
    assert LogEntry.objects.count() == 1


def test_all_failed_ones_are_sent_again_at_once(operator):
    for _ in range(3):
        make()
    make("canceled")
    answer = operator.post("/admin/mails/again", {"all": "failed"}, follow=True)
    assert "3 mails are sent again." in answer.content.decode()
    assert Job.objects.filter(kind=KIND, state="queued").count() == 3


@pytest.mark.parametrize(("role", "status"), [("support", 200), ("read_only", 200), ("billing", 403)])
def test_who_may_look_may_not_send_again(db, acme, role, status):
    failed = make()
    client = client_of(f"{role}@bitvault.test", role)
    answer = client.get("/admin/mails/")
    assert answer.status_code == status
    assert 'name="id"' not in answer.content.decode()
    assert client.post("/admin/mails/again", {"id": failed.pk}).status_code == 403
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_it_takes_as_many_queries_for_many(operator, lasting_memory):
    def count():
        with CaptureQueriesContext(connection) as asked:
            read(operator)
        return len(asked)

    for _ in range(2):
        make()
    count()
    few = count()
    for _ in range(40):
        make()
    assert count() == few
