"""Jobs as callers see them over REST, as operators see them, and as figures."""

from datetime import timedelta

import pytest
from django.test import Client

from bitvault.jobs import api as jobs
from bitvault.jobs import leasing, operating
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import NotFound
from tests.gateway.test_figures import scrape
from tests.jobs.conftest import Errand, desk
from tests.support.world import ACME

__all__ = ["desk", "scrape"]

pytestmark = pytest.mark.committed


@pytest.fixture
def ask(desk, acme):
    """Ask for a job in acme as one of its people."""

    def ask_as(name, text, **more):
        with tenancy.entered(acme):
            return desk.ask(text, by=jobs.Requester("user", ACME.people[name].user_id), **more)

    return ask_as


def test_who_asked_for_a_job_reads_how_far_it_is_and_what_came_of_it(api, desk, ask):
    job = ask("mia", "a")
    told = api("mia").get(f"/jobs/{job.id}").json()
    assert told | {"created_at": None} == {
        "id": str(job.id),
        "kind": "tests.errand",
        "state": "queued",
        "done_count": 0,
        "total_count": None,
        "result": None,
        "problem": None,
        "created_at": None,
        "started_at": None,
        "finished_at": None,
    }
    desk.run()
    told = api("mia").get(f"/jobs/{job.id}").json()
    assert (told["state"], told["result"]) == ("done", {"said": "a"})


def test_others_do_not_see_it_but_administrators_do_and_no_other_tenant(api, ask):
    job = ask("mia", "a")
    for name in ("vera", "boris"):
        assert api(name).get(f"/jobs/{job.id}").status_code == 404
        assert api(name).delete(f"/jobs/{job.id}").status_code == 404
        assert api(name).get("/jobs").json()["items"] == []
    for name in ("mia", "adam", "olga"):
        assert api(name).get(f"/jobs/{job.id}").status_code == 200
        assert [one["id"] for one in api(name).get("/jobs").json()["items"]] == [str(job.id)]


def test_a_credential_sees_only_the_kinds_that_it_is_good_for(desk, ask, make_actor, acme):
    from bitvault.jobs import kinds

    kinds.job_kind("tests.admin", payload=Errand, scope=Scope.ADMIN)(lambda *_: None)
    job = ask("olga", "a", kind="tests.admin")
    reader = make_actor("olga", scopes=frozenset({Scope.FILES_READ}))
    with tenancy.entered(acme):
        assert jobs.list_jobs(actor=make_actor("olga")).items[0].id == job.id
        assert jobs.list_jobs(actor=reader).items == []
        with pytest.raises(NotFound):
            jobs.get_job(actor=reader, job_id=job.id)


def test_a_list_is_read_by_pages_and_filters(api, desk, ask):
    for number in range(5):
        ask("mia", f"{number}")
    desk.run()
    waiting = ask("mia", "waiting", kind="tests.other")
    first = api("mia").get("/jobs", limit="4").json()
    second = api("mia").get("/jobs", limit="4", cursor=first["next_cursor"]).json()
    found = [one["id"] for one in first["items"] + second["items"]]
    assert len(set(found)) == 6
    assert found == sorted(found, reverse=True)
    assert second["next_cursor"] is None
    assert [one["id"] for one in api("mia").get("/jobs", state="queued").json()["items"]] == [str(waiting.id)]
    assert [one["id"] for one in api("mia").get("/jobs", kind="tests.other").json()["items"]] == [str(waiting.id)]
    assert api("mia").get("/jobs", state="lost").status_code == 422


@pytest.mark.usefixtures("lasting_memory")
def test_a_list_takes_as_many_queries_whatever_its_length(api, ask, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for until in (10, 200):
        for number in range(len(counts) and 10, until):
            ask("mia", f"{number}")
        api("mia").get("/jobs")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(api("mia").get("/jobs").json()["items"]) == until
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_job_is_canceled_once_and_again_and_not_when_it_has_ended(api, desk, ask):
    job = ask("mia", "a")
    assert [api("mia").delete(f"/jobs/{job.id}").status_code for _ in range(2)] == [204, 204]
    assert api("mia").get(f"/jobs/{job.id}").json()["state"] == "canceled"
    assert desk.run() == 0
    done = ask("mia", "b")
    desk.run()
    refused = api("mia").delete(f"/jobs/{done.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "jobs.finished")


def test_a_failed_job_tells_a_problem_without_what_only_operators_may_know(api, desk, ask):
    def fail(payload, run):
        raise ValueError("secret")

    desk.act = fail
    job = ask("mia", "a")
    for _ in range(3):
        desk.run()
        desk.hurry()
    answer = api("mia").get(f"/jobs/{job.id}")
    assert answer.json()["state"] == "failed"
    assert answer.json()["problem"]["code"] == "jobs.failed"
    assert "secret" not in answer.content.decode()


# --- operators ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def operator(committed):
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    return client


def test_operators_see_a_job_with_its_error_and_run_it_again(operator, desk, ask):
    from django.contrib.admin.models import LogEntry

    def fail(payload, run):
        raise ValueError("for operators")

    desk.act = fail
    job = ask("mia", "a")
    for _ in range(3):
        desk.run()
        desk.hurry()
    assert "ValueError: for operators" in operator.get("/admin/jobs/job/", {"state__exact": "failed"}).content.decode()
    assert operator.get(f"/admin/jobs/job/{job.id}/change/").status_code == 200
    act = {"action": "run_again", "_selected_action": [str(job.id)]}
    assert "1 will run again" in operator.post("/admin/jobs/job/", act, follow=True).content.decode()
    assert desk.row(job).state == "queued"
    assert LogEntry.objects.get().change_message == "Run again."
    act["action"] = "cancel"
    operator.post("/admin/jobs/job/", act)
    assert desk.row(job).state == "canceled"


def test_operators_stop_a_kind_and_let_it_go_on_and_both_stand_in_the_journal(operator, desk, ask):
    from django.contrib.admin.models import LogEntry

    ask("mia", "a")
    added = operator.post("/admin/jobs/pausedkind/add/", {"kind": "tests.errand", "reason": "it hurts"})
    assert added.status_code == 302
    assert desk.run() == 0
    paused = PausedKind.objects.get()
    assert operator.post(f"/admin/jobs/pausedkind/{paused.pk}/delete/", {"post": "yes"}).status_code == 302
    assert desk.run() == 1
    assert LogEntry.objects.count() == 2


# --- figures -----------------------------------------------------------------------------------------------------------------


def test_what_waits_and_for_how_long_and_what_was_parked_shows_in_figures(scrape, desk, ask):
    ask("mia", "old")
    ask("mia", "new")
    Job.objects.filter(key="old").update(run_at=clock.now() - timedelta(minutes=5))
    desk.act = lambda *_: 1 / 0
    ask("mia", "fails", kind="tests.bulk")
    for _ in range(5):
        desk.run("bulk")
        Job.objects.filter(kind="tests.bulk", state="queued").update(run_at=clock.now())
    figures = scrape()
    assert figures["bitvault_jobs_queued"][("tests.errand",)] == 2
    assert 299 < figures["bitvault_jobs_oldest_seconds"][("tests.errand",)] < 400
    assert figures["bitvault_jobs_parked"][("tests.bulk",)] == 1
    assert figures["bitvault_jobs_queued"][("tests.other",)] == 0
    assert leasing.lease("jobs") is not None
    assert scrape()["bitvault_jobs_running"][("tests.errand",)] == 1
    assert {backlog.kind for backlog in operating.list_backlogs()} >= {"tests.errand", "events.rebuild"}
