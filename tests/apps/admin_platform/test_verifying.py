"""A long audit log is verified by a job: in steps, with progress, from where a killed worker was."""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.admin_platform import verifying
from bitvault.jobs import leasing, running
from bitvault.kernel import clock
from tests.apps.admin_platform.test_audit import do_things, forge
from tests.jobs.conftest import desk

__all__ = ["desk"]

pytestmark = pytest.mark.committed


@pytest.fixture
def long_log(desk, api, acme, audited, monkeypatch):
    """Let a log of some entries be a long one."""
    monkeypatch.setattr(verifying, "STEP", 3)
    do_things(api, 8)
    audited(acme)


def test_it_answers_with_a_job_until_the_job_is_done_and_then_with_what_was_found(api, desk, long_log):
    asked = api("olga").get("/audit/verify")
    assert asked.status_code == 202
    job = asked.json()
    assert (job["kind"], job["state"]) == ("audit.verify", "queued")
    assert asked["Location"] == f"/api/v1/jobs/{job['id']}"
    assert asked["Retry-After"] == "1"
    assert api("adam").get("/audit/verify").json()["id"] == job["id"]
    assert api("olga").get("/audit/verify", job_id=job["id"]).status_code == 202
    assert desk.run("bulk") == 1
    for query in ({}, {"job_id": job["id"]}):
        found = api("olga").get("/audit/verify", **query)
        assert found.status_code == 200
        assert found.json()["intact"]
        assert found.json()["entry_count"] == found.json()["head_number"] >= 8
    told = api("olga").get(f"/jobs/{job['id']}").json()
    assert told["result"]["intact"]
    assert (told["done_count"] > 0, told["total_count"] >= 8) == (True, True)


def test_a_result_is_answered_again_for_a_while_unless_a_later_one_is_asked_for(api, acme, audited, desk, long_log):
    api("olga").get("/audit/verify")
    desk.run("bulk")
    first = api("olga").get("/audit/verify").json()
    root_id = api("mia").get("/me").json()["root_id"]
    seq = api("mia").post("/folders", {"parent_id": root_id, "name": "late"})["BitVault-Seq"]
    audited(acme)
    assert api("olga").get("/audit/verify").json() == first
    assert api("olga").get("/audit/verify", min_seq=seq).status_code == 202
    desk.run("bulk")
    with clock.fixed_at(clock.now() + 2 * verifying.FRESH):
        assert api("olga").get("/audit/verify").status_code == 202


def test_what_was_done_to_a_long_log_is_found(api, acme, desk, long_log):
    forge(acme, "UPDATE {table} SET type = 'other' WHERE number = 5")
    api("olga").get("/audit/verify")
    desk.run("bulk")
    found = api("olga").get("/audit/verify").json()
    assert (found["intact"], found["broken_at"]) == (False, 5)


def test_another_try_goes_on_where_a_killed_worker_was(api, desk, long_log, monkeypatch):
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    begun, renew = [], leasing.renew

    def die(job, **progress):
        renew(job, **progress)
        raise SystemExit

    job = api("olga").get("/audit/verify").json()
    monkeypatch.setattr(leasing, "renew", die)
    with pytest.raises(SystemExit):
        running.run_next("bulk")
    monkeypatch.setattr(leasing, "renew", renew)
    real = verifying.verify
    monkeypatch.setattr(
        verifying, "verify", lambda *args, **more: (begun.append(more["begun"]), real(*args, **more))[1]
    )
    desk.bury()
    desk.hurry()
    desk.run("bulk")
    assert begun[0].number == 3
    assert api("olga").get("/audit/verify", job_id=job["id"]).json()["intact"]


def test_a_job_that_is_none_or_came_to_nothing_is_told(api, desk, long_log):
    assert api("olga").get("/audit/verify", job_id=str(uuid4())).status_code == 404
    job = api("olga").get("/audit/verify").json()
    api("olga").delete(f"/jobs/{job['id']}")
    refused = api("olga").get("/audit/verify", job_id=job["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "admin_platform.verification_failed")
    assert api("olga").get("/audit/verify").json()["id"] != job["id"]


def test_no_transaction_is_longer_than_a_step(desk, long_log, acme, monkeypatch, django_assert_max_num_queries):
    from bitvault.kernel import db, tenancy

    lengths, listed = [], verifying.queries.list_links

    def count(**more):
        rows = listed(**more)
        lengths.append((db.find_open() is not None, len(rows)))
        return rows

    monkeypatch.setattr(verifying.queries, "list_links", count)
    with tenancy.entered(acme):
        assert verifying.verify("audit").intact
    assert all(is_open and length <= 3 for is_open, length in lengths)
    assert timedelta(seconds=1) < verifying.FRESH
