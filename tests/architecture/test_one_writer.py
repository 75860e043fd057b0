"""Rules 1 and 2 of docs/architecture.md: each table has one writer, and nobody reads another module's tables, derivations least of all."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import connection, connections

from bitvault.kernel import db, tenancy
from bitvault.kernel.clock import now
from bitvault.web.models import IdempotencyKey
from tests.architecture.breaches.apps.files import writing
from tests.architecture.breaches.apps.search import indexing
from tests.support import ownership


@pytest.fixture
def caught():
    """The breaches that this test has planted, so that the check at its end does not count them."""
    yield ownership.breaches
    ownership.breaches.clear()


# --- reading statements ----------------------------------------------------------------------------------------------------

WRITING = [
    ("INSERT INTO files_node (id) VALUES (1)", "files_node"),
    ('insert  into\n"files_node" ("id") SELECT 1', "files_node"),
    ("INSERT INTO t_0190.files_node VALUES (1)", "files_node"),
    ('INSERT INTO "t_0190"."files_node" VALUES (1) ON CONFLICT DO UPDATE SET id = 2', "files_node"),
    ('UPDATE "files_node" SET "name" = %s', "files_node"),
    ("UPDATE ONLY files_node SET name = 'x'", "files_node"),
    ("DELETE FROM files_node WHERE id IN (SELECT id FROM other)", "files_node"),
    ("DELETE FROM ONLY public.files_node", "files_node"),
    ("WITH gone AS (DELETE FROM files_node RETURNING id) SELECT * FROM gone", "files_node"),
    ("WITH a AS (SELECT 1) INSERT INTO files_node SELECT * FROM a", "files_node"),
    ("WITH a AS (UPDATE files_node SET name = '' RETURNING id) SELECT 1", "files_node"),
    ("MERGE INTO files_node USING x ON true WHEN MATCHED THEN DELETE", "files_node"),
    ("TRUNCATE files_node", "files_node"),
    ("TRUNCATE TABLE ONLY other, files_node RESTART IDENTITY CASCADE", "files_node"),
    ("COPY files_node (id, name) FROM STDIN", "files_node"),
    ("SELECT 1; DELETE FROM files_node", "files_node"),
    ("/* a remark */ DELETE /* in the middle */ FROM files_node", "files_node"),
    ("SELECT 'x'; -- and now\nUPDATE files_node SET name = ''", "files_node"),
    ("SELECT E'it\\'s'; DELETE FROM files_node; SELECT 'end'", "files_node"),
]

READING = [
    "SELECT * FROM files_node",
    'SELECT "files_node"."id" FROM "files_node" WHERE "files_node"."id" = %s FOR UPDATE',
    "SELECT 1 FROM files_node FOR NO KEY UPDATE OF files_node",
    "SELECT 'DELETE FROM files_node' FROM files_node",
    "SELECT $$UPDATE files_node SET name = ''$$ FROM files_node",
    "SELECT $body$ DELETE FROM files_node $body$ FROM files_node -- DELETE FROM files_node",
    "WITH n AS (SELECT id FROM files_node) SELECT * FROM n",
    "SELECT 1 WHERE EXISTS (SELECT FROM t_0190.files_node)",
    "COPY files_node TO STDOUT",
]


@pytest.mark.parametrize(("statement", "table"), WRITING)
def test_a_write_is_seen_however_it_is_written(statement, table):
    assert table in ownership.read(statement).written


@pytest.mark.parametrize("statement", READING)
def test_a_read_is_told_from_a_write(statement):
    touched = ownership.read(statement)
    assert touched.written == frozenset()
    assert touched.named == {"files_node"}


@pytest.mark.parametrize("statement", ["SELECT 'files_node'", "SELECT 1 -- files_node", "CREATE TABLE x.files_node ()"])
def test_a_table_that_is_only_spoken_of_is_not_touched(statement):
    assert ownership.read(statement) == ownership.Touched(frozenset(), frozenset())


def test_a_conflict_clause_writes_its_own_table_alone():
    statement = "INSERT INTO files_node VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id"
    assert ownership.read(statement).written == {"files_node"}


# --- owners ----------------------------------------------------------------------------------------------------------------


def test_every_table_has_an_owner():
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert {table for table in tables if ownership.owner_of(table) == ownership.NOBODY} == set()


@pytest.mark.parametrize(
    ("table", "owner"),
    [
        ("files_node", "files"),
        ("identity_user", "identity"),
        ("identity_user_groups", "identity"),
        ("events_stream_event", "events"),
        ("events_stream_event_2026_11", "events"),
        ("web_idempotency_key", "web"),
        ("storage_blob", "storage"),
        ("django_admin_log", "gateway"),
        ("made_up", ownership.NOBODY),
    ],
)
def test_owners_are_told_by_the_model_or_the_name(table, owner):
    assert ownership.owner_of(table) == owner


# --- planted breaches ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("statement", [statement for statement, _ in WRITING])
def test_a_stranger_that_writes_is_stopped(caught, statement):
    with pytest.raises(ownership.StrangerAtTable, match="search writes files_node, which belongs to files"):
        indexing.send(statement)
    assert len(caught) == 1


@pytest.mark.django_db
def test_a_stranger_that_writes_many_rows_is_stopped(caught):
    with pytest.raises(ownership.StrangerAtTable):
        indexing.send_many("INSERT INTO files_node (id) VALUES (%s)", [(1,), (2,)])


def test_a_stranger_that_saves_a_model_is_stopped(tenant, caught):
    row = IdempotencyKey(user_id=tenant.id, key="x", fingerprint=b"", answer=b"", created_at=now())
    with pytest.raises(ownership.StrangerAtTable, match=r"search .* web_idempotency_key"), db.write_transaction():
        indexing.save(row)


def test_search_that_reads_nodes_is_stopped(tenant, caught):
    with db.read_transaction(), pytest.raises(ownership.StrangerAtTable, match="search reads files_node"):
        indexing.read_nodes()


@pytest.mark.django_db
def test_a_table_that_nobody_owns_has_no_writer(caught):
    with pytest.raises(ownership.StrangerAtTable, match="belongs to -"):
        indexing.send("INSERT INTO made_up VALUES (1)")


def test_the_nearest_module_on_the_stack_is_the_sender(tenant, caught):
    """Search asks Files, and Files changes its own table: that is not Search writing."""
    with db.write_transaction():
        indexing.ask_files("UPDATE files_node SET name = name WHERE false")
    assert caught == []


def test_a_module_may_write_its_own_table_but_not_in_a_read_transaction(tenant, caught):
    statement = "UPDATE files_node SET name = name WHERE false"
    with db.write_transaction():
        writing.send(statement)
    with db.read_transaction(), pytest.raises(ownership.WriteWhileReading):
        writing.send(statement)


@pytest.mark.django_db
def test_a_stranger_whose_failure_is_swallowed_is_remembered(caught):
    indexing.swallow("DELETE FROM files_node")
    assert len(caught) == 1


def test_tests_arrange_what_they_like(tenant, caught):
    with db.write_transaction(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM files_node")
    assert caught == []


@pytest.mark.committed
def test_connections_of_other_threads_are_watched(acme, caught):
    def work() -> None:
        try:
            with tenancy.entered(acme), db.write_transaction():
                indexing.send("DELETE FROM files_node")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, pytest.raises(ownership.StrangerAtTable):
        pool.submit(work).result()
