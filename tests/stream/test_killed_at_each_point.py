"""CEL-2: SIGKILL at every named place on an event's way. Nothing is lost, each effect happens once, and all goes on within seconds.

A worker's process dies alone, or its parent dies and it goes on, or both with everything that belongs to them. A place that no test
dies at fails the last test.
"""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.admin_platform import verifying
from apps.files import api as files
from bitvault.kernel import clock, tenancy
from tests.apps.files.conftest import Tree
from tests.apps.sync.following import Device, fresh_tree
from tests.support import errands
from tests.support.failpoints import POINTS

pytestmark = pytest.mark.journey

RECOVERY_SECONDS = 45.0
"""At the nursery's pace it takes one; Celery's own redelivery would take 25 minutes."""

BATCH = [
    ("task taken", "group", "sync"),
    ("message admitted", "process", "audit"),
    ("try counted", "group", "billing"),
    ("first effect", "process", "gc"),
    ("between effects", "group", "audit"),
    ("between effects", "process", "sync"),
    ("cursor to be moved", "parent", "billing"),
    ("cursor moved", "group", "gc"),
    ("effects closed", "process", "sync"),
    ("effects closed", "group", "audit"),
    ("commit", "group", "billing"),
    ("committed", "process", "audit"),
    ("committed", "parent", "sync"),
    ("task done", "group", "billing"),
    ("task done", "process", "gc"),
]

RELAY = [
    ("relay begun", "process"),
    ("turn taken", "group"),
    ("lags known", "process"),
    ("call to be sent", "group"),
    ("call sent", "process"),
    ("relay done", "group"),
]

BEAT = ["beat due", "beat sent"]
NUDGE = ["nudge claimed", "nudge sent"]
FAILURE = ["failure to be told", "failure told"]
LETTER = ["letter to be written", "letter written", "given up"]
REBUILD = ["page to be kept", "swap", "swapped"]
JOBS = POINTS["jobs"]
PARTITIONS = ["day to be dropped", "day dropped"]


@pytest.fixture(scope="module")
def crew(stream):
    """A worker and a scheduler that are replaced when they die."""
    return Crew(stream)


class Crew:
    def __init__(self, stream):
        self.stream = stream
        self.nursery = stream.nursery
        self.worker = self.nursery.worker()
        self.beat = self.nursery.beat()
        self.slowest = 0.0

    def replace_dead(self, how):
        """Bury who died of the order and start another, as an init system does."""
        if how in ("group", "parent"):
            self.nursery.bury(self.worker)
            self.worker = self.nursery.worker()
        else:
            self.nursery.kills += 1

    def await_death(self):
        self.stream.await_that(lambda: self.stream.orders.taker() is not None)

    def recover(self):
        self.slowest = max(self.slowest, self.stream.settle(seconds=RECOVERY_SECONDS))


@pytest.fixture(scope="module")
def olga(companies):
    return _actor(companies.acme, "olga")


@pytest.fixture(scope="module")
def tree(stream, companies):
    with tenancy.entered(companies.acme):
        return Tree(_actor(companies.acme, "mia"))


def _actor(tenant, name):
    from bitvault.kernel.actor import Actor, Role
    from tests.support.world import ACME

    person = ACME.people[name]
    return Actor(tenant=tenant, user_id=person.user_id, role=Role(person.role), token_id=person.token_id)


def live_on(tree):
    """Leave an event of each kind in the stream."""
    name = uuid4().hex
    with tenancy.entered(tree.actor.tenant):
        folder = tree.folder(name)
        file = tree.file("a", folder, name.encode())
        tree.write(file, name.encode() * 2)
        tree.trash(tree.update(folder, name=f"{name} 2"))
        tree.restore(folder) if int(name[0], 16) % 2 else files.purge_node(actor=tree.actor, node_id=folder.id)


def require_whole(stream, olga):
    assert stream.violations() == []
    with tenancy.entered(olga.tenant):
        assert verifying.verify("audit").intact


@pytest.fixture(autouse=True)
def _no_order_is_left(stream):
    yield
    stream.orders.withdraw()


@pytest.mark.parametrize(("point", "how", "consumer"), BATCH)
def test_a_worker_dies_on_the_way_of_an_event(stream, crew, tree, olga, point, how, consumer):
    stream.settle()
    stream.orders.place(point, how=how, consumer=consumer)
    live_on(tree)
    crew.await_death()
    crew.replace_dead(how)
    crew.recover()
    require_whole(stream, olga)


@pytest.mark.parametrize(("point", "how"), RELAY)
def test_a_worker_dies_in_the_relay(stream, crew, tree, olga, point, how):
    stream.settle()
    stream.orders.place(point, how=how)
    live_on(tree)
    crew.await_death()
    crew.replace_dead(how)
    crew.recover()
    require_whole(stream, olga)


@pytest.mark.parametrize("point", BEAT)
def test_the_scheduler_dies(stream, crew, tree, olga, point):
    stream.orders.place(point)
    crew.await_death()
    live_on(tree)
    crew.nursery.bury(crew.beat)
    crew.beat = crew.nursery.beat()
    crew.recover()
    require_whole(stream, olga)


@pytest.mark.parametrize("point", NUDGE)
def test_whoever_committed_dies_before_anybody_was_called(stream, crew, tree, olga, companies, point):
    stream.settle()
    head = stream.position("sync", companies.acme)
    stream.orders.place(point, how="process")
    crew.nursery.job("note", tenant=str(companies.acme.id), texts=["last words"], linger=10.0)
    assert stream.orders.taker()
    crew.recover()
    assert stream.position("sync", companies.acme) == head + 1
    require_whole(stream, olga)


@pytest.mark.parametrize("point", FAILURE)
def test_a_worker_dies_while_it_tells_of_a_failure(stream, crew, olga, companies, point):
    stream.orders.place(point)
    stream.note(companies.acme, f"refused at {point}", "and on")
    crew.await_death()
    crew.replace_dead("group")
    crew.recover()
    assert "and on" in stream.effects(companies.acme)[-1]
    assert stream.violations("dead letters") == []


@pytest.mark.parametrize("point", LETTER)
def test_a_worker_dies_while_it_gives_an_event_up(stream, crew, companies, point):
    stream.settle()
    stream.orders.place(point)
    seq = stream.note(companies.acme, f"refused at {point}")
    crew.await_death()
    crew.replace_dead("group")
    crew.recover()
    letters = stream.database.execute("SELECT consumer, error FROM events_dead_letter WHERE seq = %s", [seq]).fetchall()
    assert letters == [("notes", f"ValueError: refused refused at {point}")]
    assert stream.violations("dead letters") == []


@pytest.mark.parametrize("point", REBUILD)
def test_a_rebuild_dies_and_the_next_one_is_whole(stream, crew, tree, olga, companies, point):
    live_on(tree)
    stream.orders.place(point, how="process")
    acme = str(companies.acme.id)
    assert crew.nursery.job("rebuild", tenant=acme, consumer="sync") < 0
    live_on(tree)
    crew.recover()
    assert stream.violations("dead letters") == []
    assert crew.nursery.job("rebuild", tenant=acme, consumer="sync") == 0
    live_on(tree)
    crew.recover()
    assert stream.violations("dead letters") == []
    with tenancy.entered(companies.acme):
        device = Device(tree.actor)
        device.take_snapshot()
        assert device.nodes == fresh_tree(tree.actor)


@pytest.fixture
def ask(companies, monkeypatch):
    """Ask for an errand of acme's; gives the id of its job. The workers of the nursery find it for themselves."""
    from bitvault.jobs import api as jobs
    from bitvault.jobs import calling, kinds
    from bitvault.kernel import db

    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.setattr(calling, "nudge", lambda _: None)
    errands.register()

    def ask_for(text):
        with tenancy.entered(companies.acme), db.write_transaction():
            return jobs.enqueue(errands.KIND, errands.Errand(text=text), key=text, by=jobs.SYSTEM).id

    return ask_for


def await_job(stream, job_id):
    state = "SELECT state FROM jobs_job WHERE id = %s"
    stream.await_that(
        lambda: stream.database.execute(state, [job_id]).fetchone() == ("done",), seconds=RECOVERY_SECONDS
    )


@pytest.mark.parametrize("point", JOBS)
def test_a_worker_dies_while_it_does_a_job(stream, crew, companies, ask, point):
    stream.orders.place(point)
    job_id = ask(f"errand at {point}")
    crew.await_death()
    crew.replace_dead("group")
    await_job(stream, job_id)
    assert errands.effects(stream.database, companies.acme.schema).count(f"errand at {point}") == 1


def test_a_worker_that_stops_in_a_job_and_wakes_up_again_has_done_nothing(stream, crew, companies, ask):
    """OUT-4: it stands still until another one has done its job."""
    import os
    import signal

    stream.orders.place("job to be ended", how="stop")
    job_id = ask("errand of two")
    crew.await_death()
    stopped = stream.orders.taker()
    second = stream.nursery.worker(queues="jobs", processes=1)
    await_job(stream, job_id)
    os.kill(stopped, signal.SIGCONT)
    after = ask("errand after it")
    await_job(stream, after)
    crew.nursery.kill(second)
    assert errands.effects(stream.database, companies.acme.schema).count("errand of two") == 1


@pytest.mark.parametrize("point", PARTITIONS)
def test_a_worker_dies_while_it_drops_a_day(stream, crew, companies, point):
    day = (clock.now() - timedelta(days=40)).date()
    name = f"events_stream_event_{day:%Y%m%d}"
    stream.database.execute(
        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF events_stream_event"
        f" FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00');"
        f" ALTER TABLE {name} OWNER TO bitvault_owner"
    )
    stream.orders.place(point)
    keep_days(stream)
    crew.await_death()
    crew.replace_dead("group")
    keep_days(stream)
    exists = "SELECT count(*) FROM pg_class WHERE relname = %s"
    stream.await_that(lambda: stream.database.execute(exists, [name]).fetchone() == (0,))
    stream.note(companies.acme, "goes on")
    crew.recover()


def keep_days(stream):
    from celery import Celery

    with Celery(broker=f"{stream.valkey.url}/0", set_as_current=False) as sender:
        sender.send_task("events.keep_partitions")


def test_in_the_end_devices_that_followed_have_the_tree(stream, crew, tree, olga, companies):
    """And every place was died at."""
    live_on(tree)
    crew.recover()
    with tenancy.entered(companies.acme):
        device = Device(tree.actor)
        device.follow()
        assert device.nodes == fresh_tree(tree.actor)
    died_at = {point for point, *_ in [*BATCH, *RELAY]} | {
        *BEAT,
        *NUDGE,
        *FAILURE,
        *LETTER,
        *REBUILD,
        *JOBS,
        *PARTITIONS,
    }
    assert died_at == {point for points in POINTS.values() for point in points}
    assert crew.nursery.kills >= len(died_at)
    print(f"{crew.nursery.kills} kills, slowest recovery {crew.slowest:.1f} s")  # noqa: T201 - a figure of the run, shown with -rP
