"""Publishing: an event exists if and only if its change does, and numbers are dense and in the order of commits."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from bitvault.events import outbox
from bitvault.events.api import get_head, publish
from bitvault.events.catalog.files import FolderCreated
from bitvault.events.models import StreamEvent
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import ProgrammingError
from bitvault.kernel.request import set_request_id

ACTOR = UUID("01900000-0000-7000-8000-000000000003")


def folder(name: str = "Reports") -> FolderCreated:
    return FolderCreated(
        actor_id=ACTOR,
        node_id=ids.new_id(),
        parent_id=None,
        name=name,
        revision=1,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


def stream_of(tenant) -> list[StreamEvent]:
    return list(StreamEvent.objects.filter(tenant_id=tenant.id).order_by("seq"))


def test_an_event_is_kept_with_who_when_and_by_which_request(tenant):
    set_request_id("01900000-0000-7000-8000-0000000000aa")
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    event = folder("Q3 „Übersicht“")
    with clock.fixed_at(moment), db.write_transaction() as tx:
        publish(event)
    (row,) = stream_of(tenant)
    assert (row.seq, tx.seq, get_head()) == (1, 1, 1)
    assert (row.type, row.actor_id, row.occurred_at) == ("files.folder.created.v1", ACTOR, moment)
    assert row.request_id == "01900000-0000-7000-8000-0000000000aa"
    assert row.payload == {
        "node_id": str(event.node_id),
        "parent_id": None,
        "name": "Q3 „Übersicht“",
        "revision": 1,
        "created_at": "2026-11-23T00:00:00Z",
        "actor_kind": "user",
        "copied_from_node_id": None,
    }


def test_events_of_a_transaction_are_numbered_in_the_order_of_publishing(tenant):
    with db.write_transaction() as tx:
        for name in ("a", "b", "c"):
            publish(folder(name))
    assert [(row.seq, row.payload["name"]) for row in stream_of(tenant)] == [(1, "a"), (2, "b"), (3, "c")]
    assert tx.seq == 3


def test_the_numbering_is_one_statement_and_the_last_one(tenant):
    with CaptureQueriesContext(connection) as captured, db.write_transaction():
        publish(folder())
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'the change itself'")
        publish(folder())
    statements = [query["sql"] for query in captured]
    numbering = [number for number, sql in enumerate(statements) if "events_stream_head" in sql]
    change = next(number for number, sql in enumerate(statements) if "the change itself" in sql)
    assert len(numbering) == 1
    assert numbering[0] > change
    # Where the transaction is a test's savepoint, it is released, and the schema is left by hand.
    assert all("SAVEPOINT" in sql or "'role', 'none'" in sql for sql in statements[numbering[0] + 1 :])


def test_the_number_of_the_last_mutation_is_what_an_answer_carries(tenant):
    with db.write_transaction():
        publish(folder())
    with db.write_transaction():
        publish(folder())
        publish(folder())
    with db.write_transaction():
        pass
    assert db.latest_seq.get() == 3


def test_a_rollback_takes_its_events_along_and_leaves_no_gap(tenant):
    with db.write_transaction():
        publish(folder("kept"))
    with pytest.raises(ZeroDivisionError), db.write_transaction():
        publish(folder("lost"))
        raise ZeroDivisionError
    with db.write_transaction():
        publish(folder("next"))
    assert [(row.seq, row.payload["name"]) for row in stream_of(tenant)] == [(1, "kept"), (2, "next")]


def test_there_is_no_event_without_a_write_transaction(tenant):
    with pytest.raises(db.NoTransaction):
        publish(folder())
    with db.read_transaction(), pytest.raises(db.NoTransaction):
        publish(folder())


def test_a_public_change_publishes_to_the_stream_of_the_entered_tenant(tenant):
    with db.public_transaction():
        publish(folder())
    assert len(stream_of(tenant)) == 1


def test_a_public_change_without_a_tenant_cannot_publish(db_access):
    with pytest.raises(tenancy.NoTenant), db.public_transaction():
        publish(folder())


@pytest.fixture
def db_access(request):
    """The database, under a name that leaves ``db`` to the kernel's module."""
    request.getfixturevalue("db")


def test_a_tenant_without_a_stream_changes_nothing(db_access):
    stranger = tenancy.Tenant(id=ids.new_id(), slug="stranger", name="Stranger")
    with tenancy.entered(stranger), pytest.raises(outbox.StreamMissing), db.public_transaction():
        publish(folder())


def test_a_transaction_has_one_last_step(tenant):
    with db.write_transaction() as tx:
        publish(folder())
        with pytest.raises(ProgrammingError, match="one last step"):
            tx.before_commit(lambda _: None)


@pytest.mark.committed
def test_numbers_are_dense_and_in_the_order_of_commits(acme):
    """Readers look while writers write: who has seen a number has seen every smaller one."""
    writers, rounds = 6, 15
    done = threading.Event()

    def write(number: int) -> None:
        try:
            for turn in range(rounds):
                with tenancy.entered(acme), db.write_transaction():
                    publish(folder(f"{number}.{turn}"))
                    if turn % 5 == 0:
                        publish(folder(f"{number}.{turn} more"))
        finally:
            connections.close_all()

    def look() -> int:
        gaps = 0
        try:
            while not done.is_set():
                seen = [row.seq for row in stream_of(acme)]
                gaps += seen != list(range(1, len(seen) + 1))
        finally:
            connections.close_all()
        return gaps

    with ThreadPoolExecutor(writers + 1) as pool:
        reader = pool.submit(look)
        try:
            list(pool.map(write, range(writers)))
        finally:
            done.set()
        assert reader.result() == 0
    assert [row.seq for row in stream_of(acme)] == list(range(1, writers * (rounds + 3) + 1))


@pytest.mark.committed
def test_tenants_have_streams_of_their_own(acme, beta):
    for tenant in (acme, beta, acme):
        with tenancy.entered(tenant), db.write_transaction():
            publish(folder())
    assert [len(stream_of(tenant)) for tenant in (acme, beta)] == [2, 1]


@pytest.mark.committed
def test_a_tenants_role_reads_no_stream_but_its_own(acme, beta):
    with tenancy.entered(acme), db.write_transaction():
        publish(folder())
    with tenancy.entered(beta), db.read_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.events_stream_event")
        assert cursor.fetchone() == (0,)
