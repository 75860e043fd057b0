"""Asking for work, and doing it: once for each wish, each tenant in turn, again after a failure, parked in the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from bitvault.jobs import api as jobs
from bitvault.jobs import calling, kinds, leasing, operating, running
from bitvault.jobs.errors import UnknownKind
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock, db, errors, tenancy
from bitvault.kernel.db import NoTransaction
from tests.jobs.conftest import Errand

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _in_acme(tenant):
    pass


def test_a_job_is_done_in_its_tenant_and_its_result_can_be_read(desk, acme):
    tenants = []
    desk.act = lambda payload, _: tenants.append(tenancy.current()) or {"said": payload.text}
    job = desk.ask("hello")
    assert (job.state, desk.done) == ("queued", [])
    assert desk.run() == 1
    row = desk.row(job)
    assert (row.state, row.result, row.tries) == ("done", {"said": "hello"}, 1)
    assert row.expires_at > row.finished_at
    assert tenants == [acme]


def test_a_wish_that_is_rolled_back_was_none(desk):
    with pytest.raises(ZeroDivisionError), db.write_transaction():
        jobs.enqueue("tests.errand", Errand(), key="never", by=jobs.SYSTEM)
        raise ZeroDivisionError
    assert desk.run() == 0


def test_nothing_is_asked_for_outside_of_a_write_transaction(desk):
    with pytest.raises(NoTransaction):
        jobs.enqueue("tests.errand", Errand(), key="never", by=jobs.SYSTEM)


@pytest.mark.parametrize("kind", ["tests.nothing", "events.rebuild"])
def test_a_kind_that_is_not_there_or_takes_another_payload_is_refused(desk, kind):
    with pytest.raises(UnknownKind):
        desk.ask("x", kind=kind)


def test_an_unfinished_job_of_the_same_key_is_the_answer_and_a_finished_one_is_not(desk):
    first = desk.ask("a")
    assert desk.ask("a").id == first.id
    assert desk.ask("a", kind="tests.other").id != first.id
    desk.run()
    assert desk.ask("a").id != first.id


def test_another_tenants_job_of_the_same_key_is_another_one(desk, beta, acme):
    first = desk.ask("a")
    tenancy._current.set(None)
    with tenancy.entered(beta):
        assert desk.ask("a").id != first.id


def test_of_many_who_ask_at_the_same_moment_all_get_one_job(desk, acme):
    found, start = [], threading.Barrier(6)

    def ask():
        try:
            with tenancy.entered(acme):
                start.wait()
                found.append(desk.ask("same").id)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_many_jobs_are_asked_for_in_as_many_statements_as_few_and_none_twice(desk):
    def ask(keys):
        with CaptureQueriesContext(connection) as queries, db.write_transaction():
            jobs.enqueue_all("tests.errand", {key: Errand(text=key) for key in keys}, by=jobs.SYSTEM)
        return len(queries)

    few = ask(["0", "1"])
    assert ask([str(number) for number in range(200)]) == few
    assert desk.run() == 200
    assert sorted(desk.done) == sorted({str(number) for number in range(200)})
    ask(["0"])
    assert desk.run() == 1
    with db.write_transaction():
        jobs.enqueue_all("tests.errand", {}, by=jobs.SYSTEM)
        with pytest.raises(UnknownKind):
            jobs.enqueue_all("events.rebuild", {"x": Errand()}, by=jobs.SYSTEM)
    with pytest.raises(NoTransaction):
        jobs.enqueue_all("tests.errand", {"x": Errand()}, by=jobs.SYSTEM)


def test_who_asks_for_the_same_jobs_in_another_order_does_not_deadlock(desk, acme):
    start, keys = threading.Barrier(4), [str(number) for number in range(40)]

    def ask(order):
        try:
            with tenancy.entered(acme):
                start.wait()
                for _ in range(5):
                    with db.write_transaction():
                        jobs.enqueue_all("tests.errand", {key: Errand() for key in order}, by=jobs.SYSTEM)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, (keys, keys[::-1]) * 2))
    assert desk.run() == 40


def test_a_job_for_later_waits_until_then(desk):
    desk.ask("later", run_at=clock.now() + timedelta(hours=1))
    assert desk.run() == 0
    with clock.fixed_at(clock.now() + timedelta(hours=2)):
        assert desk.run() == 1


def test_an_error_is_tried_again_after_a_while_and_parked_in_the_end(desk):
    def fail(payload, run):
        raise ValueError(f"try {run.tries}")

    desk.act = fail
    job = desk.ask("a")
    for tries in (1, 2):
        before = clock.now()
        assert desk.run() == 1
        row = desk.row(job)
        assert (row.state, row.tries, row.problem["code"]) == ("queued", tries, "jobs.failed")
        wait = (row.run_at - before) / leasing.BACKOFF
        assert 0.4 * 2 ** (tries - 1) < wait < 1.6 * 2 ** (tries - 1) + 1
        desk.hurry()
    assert desk.run() == 1
    row = desk.row(job)
    assert (row.state, row.tries, row.error) == ("failed", 3, "ValueError: try 3")
    assert "ValueError" not in str(row.problem)
    desk.hurry()
    assert desk.run() == 0


def test_a_refusal_is_final_and_told_as_it_is_and_a_service_that_is_down_is_tried_again(desk):
    def refuse(payload, run):
        raise errors.NotFound("gone", node="x") if payload.text == "refused" else errors.Unavailable

    desk.act = refuse
    refused, down = desk.ask("refused"), desk.ask("down")
    desk.run()
    assert desk.row(refused).state == "failed"
    assert desk.row(refused).problem["code"] == "access.not_found"
    assert desk.row(refused).problem["node"] == "x"
    assert (desk.row(down).state, desk.row(down).tries) == ("queued", 1)


def test_a_job_that_worked_in_the_end_tells_no_problem(desk):
    desk.act = lambda _, run: 1 / 0 if run.tries == 1 else "well"
    job = desk.ask("a")
    desk.run()
    desk.hurry()
    desk.run()
    row = desk.row(job)
    assert (row.state, row.result, row.problem, row.error) == ("done", "well", None, "")


def test_tenants_are_served_in_turn_however_many_jobs_one_has(desk, acme, beta):
    for number in range(5):
        desk.ask(f"acme {number}")
    tenancy._current.set(None)
    with tenancy.entered(beta):
        for number in range(2):
            desk.ask(f"beta {number}")
    desk.run()
    assert desk.done[:4] == ["acme 0", "beta 0", "acme 1", "beta 1"] or desk.done[:4] == [
        "beta 0",
        "acme 0",
        "beta 1",
        "acme 1",
    ]
    assert len(desk.done) == 7


def test_who_has_nothing_running_comes_before_who_has(desk, acme, beta):
    desk.ask("acme runs")
    desk.ask("acme waits")
    tenancy._current.set(None)
    with tenancy.entered(beta):
        desk.ask("beta")
    running_one = leasing.lease("jobs")
    tenancy._current.set(None)
    names = [leasing.lease("jobs").tenant_id for _ in range(2)]
    assert names[0] != running_one.tenant_id
    assert leasing.lease("jobs") is None


def test_a_lane_does_not_take_another_lanes_jobs(desk):
    desk.ask("long", kind="tests.bulk")
    assert desk.run("jobs") == 0
    assert desk.run("bulk") == 1


def test_jobs_of_a_suspended_tenant_wait_until_it_is_back(desk, acme):
    from apps.identity import api as identity

    desk.ask("a")
    assert leasing.count_due("jobs", 20) == 1
    identity.suspend_tenant(tenant_id=acme.id)
    assert desk.run() == 0
    assert leasing.count_due("jobs", 20) == 0
    [backlog] = [one for one in operating.list_backlogs() if one.kind == "tests.errand"]
    assert (backlog.queued_count, backlog.oldest_seconds) == (0, 0.0)


def test_a_job_may_belong_to_the_installation(desk):
    desk.act = lambda *_: str(tenancy.find_current())
    tenancy._current.set(None)
    with db.public_transaction():
        job = jobs.enqueue("tests.errand", Errand(), key="whole", by=jobs.SYSTEM, for_installation=True)
        again = jobs.enqueue("tests.errand", Errand(), key="whole", by=jobs.SYSTEM, for_installation=True)
    assert job.id == again.id
    assert desk.run() == 1
    assert desk.row(job).result == "None"


def test_a_stopped_kind_is_not_begun_and_goes_on_when_it_is_let(desk):
    PausedKind.objects.create(kind="tests.errand", reason="it hurts", paused_at=clock.now())
    desk.ask("stopped")
    desk.ask("other", kind="tests.other")
    assert leasing.count_due("jobs", 20) == 1
    assert desk.run() == 1
    assert desk.done == ["other"]
    assert leasing.count_due("jobs", 20) == 0
    PausedKind.objects.all().delete()
    assert desk.run() == 1


def test_a_job_that_runs_when_its_kind_is_stopped_goes_back_at_its_next_report(desk):
    def work(payload, run):
        run.report(1, 2)
        if run.tries == 1 and not PausedKind.objects.exists():
            stop = threading.Thread(target=stop_the_kind)
            stop.start()
            stop.join()
        run._told_at = 0
        run.report(2, 2)

    def stop_the_kind():
        try:
            PausedKind.objects.create(kind="tests.errand", reason="it hurts", paused_at=clock.now())
        finally:
            connections.close_all()

    desk.act = work
    job = desk.ask("a")
    running.run_next("jobs")
    row = desk.row(job)
    assert (row.state, row.tries, row.problem) == ("queued", 0, None)
    assert not running.run_next("jobs")
    PausedKind.objects.all().delete()
    desk.act = None
    assert desk.run() == 1
    assert desk.row(job).state == "done"


def test_a_job_of_a_kind_that_this_code_does_not_know_waits_for_code_that_does(desk):
    job = desk.ask("a")
    Job.objects.filter(pk=job.id).update(kind="tests.of_tomorrow")
    assert desk.run() == 0
    assert desk.bury() == 0


# --- while it runs -----------------------------------------------------------------------------------------------------------


def test_progress_can_be_read_while_the_job_runs_and_is_written_a_few_times_a_second_at_most(desk, monkeypatch):
    writes, seen = [], []
    renew = leasing.renew
    monkeypatch.setattr(leasing, "renew", lambda job, **more: (writes.append(more), renew(job, **more)))

    def work(payload, run):
        for number in range(1000):
            run.report(number + 1, 1000)
        seen.append((desk.row(job).state, desk.row(job).done_count, desk.row(job).total_count))

    desk.act = work
    job = desk.ask("a")
    desk.run()
    assert len(writes) <= 3
    assert seen[0][0] == "running"
    assert seen[0][2] == 1000
    row = desk.row(job)
    assert (row.done_count, row.total_count) == (1000, 1000)


def test_a_running_job_that_is_canceled_ends_at_its_next_report(desk, monkeypatch):
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    steps = []

    def work(payload, run):
        for number in range(100):
            run.report(number)
            steps.append(number)
            if number == 3:
                assert operating.cancel(job_ids=[job.id]) == 1
                assert desk.row(job).state == "running"

    desk.act = work
    job = desk.ask("a")
    desk.run()
    assert desk.row(job).state == "canceled"
    assert steps == [0, 1, 2, 3]
    assert desk.run() == 0


def test_a_waiting_job_that_is_canceled_never_runs_and_its_key_is_free(desk):
    job = desk.ask("a")
    assert operating.cancel(job_ids=[job.id]) == 1
    assert desk.row(job).state == "canceled"
    assert desk.run() == 0
    assert desk.ask("a").id != job.id


def test_an_operator_runs_a_parked_job_again_unless_it_was_asked_for_anew(desk):
    desk.act = lambda *_: 1 / 0
    job = desk.ask("a")
    for _ in range(3):
        desk.run()
        desk.hurry()
    assert desk.row(job).state == "failed"
    desk.act = None
    assert operating.retry(job_ids=[job.id]) == 1
    assert desk.run() == 1
    assert (desk.row(job).state, desk.row(job).tries) == ("done", 1)
    other = desk.ask("b")
    operating.cancel(job_ids=[other.id])
    desk.ask("b")
    assert operating.retry(job_ids=[other.id]) == 0


def test_a_job_goes_on_from_its_checkpoint(desk, monkeypatch):
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)

    def work(payload, run):
        begin = run.checkpoint or 0
        for number in range(begin, 10):
            run.report(number, 10, checkpoint=number)
            if number == 4 and run.tries == 1:
                raise ValueError
        return begin

    desk.act = work
    job = desk.ask("a")
    desk.run()
    desk.hurry()
    desk.run()
    assert desk.row(job).result == 4


def test_a_try_has_its_time_and_is_interrupted_then(desk, monkeypatch):
    import time

    kinds.job_kind("tests.slow", payload=Errand, tries=1, timeout=timedelta(seconds=0.3))(lambda *_: time.sleep(30))
    job = desk.ask("a", kind="tests.slow")
    begun = time.monotonic()
    desk.run()
    assert time.monotonic() - begun < 10
    assert (desk.row(job).state, desk.row(job).problem["code"]) == ("failed", "jobs.took_too_long")


def test_a_worker_that_is_told_to_stop_gives_its_job_back_and_the_try_does_not_count(desk):
    def work(payload, run):
        running.stopping.set()
        run.report(1)

    desk.act = work
    job = desk.ask("a")
    try:
        assert running.run_next("jobs")
    finally:
        running.stopping.clear()
    assert (desk.row(job).state, desk.row(job).tries) == ("queued", 0)
    desk.act = None
    assert desk.run() == 1


def test_a_job_that_says_nothing_keeps_its_lease_all_the_same(desk, monkeypatch):
    import time

    monkeypatch.setattr(running, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(leasing, "LEASE", timedelta(seconds=0.5))
    desk.act = lambda *_: (time.sleep(1.5), leasing.rescue())[1]
    job = desk.ask("a")
    desk.run()
    assert (desk.row(job).state, desk.row(job).result) == ("done", 0)


# --- workers that die --------------------------------------------------------------------------------------------------------


def test_the_job_of_a_worker_that_died_goes_to_another_one(desk):
    job = desk.ask("a")
    assert leasing.lease("jobs").pk == job.id
    assert leasing.lease("jobs") is None
    assert desk.bury() == 1
    desk.hurry()
    assert desk.run() == 1
    assert (desk.row(job).state, desk.row(job).tries) == ("done", 2)


def test_a_job_that_kills_its_workers_is_parked(desk):
    job = desk.ask("a")
    for _ in range(3):
        assert leasing.lease("jobs") is not None
        desk.bury()
        desk.hurry()
    assert leasing.lease("jobs") is None
    assert (desk.row(job).state, desk.row(job).problem["code"]) == ("failed", "jobs.worker_died")


def test_a_worker_that_was_given_up_for_dead_can_write_nothing(desk):
    """It stood still for a while, or its network did; the job was given to another one, and that one is done."""
    job = desk.ask("a")

    def work(payload, run):
        if run.tries > 1:
            return "the other's"
        desk.bury()
        desk.hurry()
        running.run_next("jobs")
        with pytest.raises(leasing.LeaseLost):
            run.report(5)
        return "late"

    desk.act = work
    assert running.run_next("jobs")
    assert (desk.row(job).state, desk.row(job).result, desk.row(job).done_count) == ("done", "the other's", 0)


def test_an_effect_that_completes_its_job_in_the_same_transaction_happens_once(desk):
    from bitvault.kernel import ids
    from bitvault.web.models import IdempotencyKey

    def effect(payload, run):
        if run.tries == 1:
            desk.bury()
            desk.hurry()
            running.run_next("jobs")
        with db.write_transaction():
            IdempotencyKey.objects.create(
                user_id=ids.new_id(), key=f"effect {run.tries}", fingerprint=b"", answer=b"", created_at=clock.now()
            )
            run.complete({"try": run.tries})

    desk.act = effect
    job = desk.ask("a")
    running.run_next("jobs")
    with db.read_transaction():
        assert list(IdempotencyKey.objects.filter(key__startswith="effect").values_list("key", flat=True)) == [
            "effect 2"
        ]
    assert desk.row(job).result == {"try": 2}


# --- calling workers ---------------------------------------------------------------------------------------------------------


def test_a_look_at_the_lanes_calls_those_that_have_something_to_do_and_piles_nothing_up(desk, monkeypatch):
    from bitvault.jobs import tasks

    called, waiting = [], dict.fromkeys(kinds.list_lanes(), 0)
    monkeypatch.setattr(calling, "call", called.append)
    monkeypatch.setattr(tasks, "_count_waiting", waiting.get)
    assert tasks.dispatch() == 0
    for number in range(3):
        desk.ask(f"{number}")
    assert tasks.dispatch() == 3
    assert called == ["jobs"] * 3
    waiting["jobs"] = 2
    assert tasks.dispatch() == 1
    waiting["jobs"] = 5
    assert tasks.dispatch() == 0


def test_a_commit_that_asks_for_work_nudges_its_lane_and_a_rollback_does_not(desk, monkeypatch):
    nudged = []
    monkeypatch.setattr(calling, "nudge", nudged.append)
    with pytest.raises(ZeroDivisionError), db.write_transaction():
        jobs.enqueue("tests.bulk", Errand(), key="never", by=jobs.SYSTEM)
        raise ZeroDivisionError
    assert nudged == []
    desk.ask("a", kind="tests.bulk")
    assert nudged == ["bulk"]


def test_finished_jobs_are_swept_past_their_time_and_others_stay(desk):
    done = desk.ask("done")
    desk.run()
    waiting = desk.ask("waiting")
    assert leasing.sweep() == 0
    with clock.fixed_at(clock.now() + timedelta(days=8)):
        assert leasing.sweep() == 1
    assert list(Job.objects.values_list("pk", flat=True)) == [waiting.id]
    assert done.id != waiting.id


def test_choosing_the_next_job_does_not_grow_with_the_jobs_that_wait(desk, acme, django_assert_num_queries):
    desk.ask("first")
    row = Job.objects.get()
    Job.objects.bulk_create(
        Job(
            tenant_id=acme.id,
            kind=row.kind,
            lane=row.lane,
            key=f"{number}",
            payload={},
            run_at=row.run_at,
            created_by_kind="system",
            created_at=row.created_at,
        )
        for number in range(3000)
    )
    from django.db import connection

    from bitvault.jobs import sql

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.TURNS}", {"lane": "jobs", "now": clock.now()})
        plan = cursor.fetchone()[0][0]["Plan"]

    def rows_read(node):
        return node["Actual Rows"] * node["Actual Loops"] + sum(rows_read(part) for part in node.get("Plans", ()))

    assert rows_read(plan) < 100
