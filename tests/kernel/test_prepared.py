"""Statements that the server keeps ready mean, at each run, the tables of the tenant that is entered then."""

import os
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DatabaseError, DataError, connection, connections
from django.test.utils import CaptureQueriesContext

from bitvault.kernel import db, tenancy
from bitvault.kernel.clock import now

pytestmark = pytest.mark.committed

_ADD = "INSERT INTO web_idempotency_key (user_id, key, fingerprint, answer, created_at) VALUES (%s, %s, '', '', %s)"
_FIND = "SELECT key FROM web_idempotency_key WHERE user_id = %s ORDER BY key"
_USER = "01900000-0000-7000-8000-000000000001"


def add(key):
    with db.write_transaction(), db.prepared_cursor() as cursor:
        cursor.execute(_ADD, [_USER, key, now()])


def find():
    with db.read_transaction(), db.prepared_cursor() as cursor:
        cursor.execute(_FIND, [_USER])
        return [key for (key,) in cursor.fetchall()]


def prepared_statements():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def test_one_connection_takes_each_tenant_to_its_own_rows(acme, beta):
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            add(tenant.slug)
    for tenant in (acme, beta) * 20:
        with tenancy.entered(tenant):
            assert find() == [tenant.slug]
    assert sum("ORDER BY key" in statement for statement in prepared_statements()) == 1


def test_many_threads_and_tenants_never_meet_in_a_statement(acme, beta):
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            add(tenant.slug)

    def visit(number):
        tenant = (acme, beta)[number % 2]
        try:
            with tenancy.entered(tenant):
                return find() == [tenant.slug]
        finally:
            if number % 50 == 0:
                connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(800)))
        list(pool.map(lambda _: connections.close_all(), range(8)))


def test_outside_a_transaction_a_prepared_statement_finds_no_tenants_table(acme):
    with tenancy.entered(acme):
        assert find() == []
    with pytest.raises(DatabaseError, match="does not exist"), db.prepared_cursor() as cursor:
        cursor.execute(_FIND, [_USER])


def test_a_table_that_has_got_a_column_since_is_read_as_before(acme):
    with tenancy.entered(acme):
        add("early")
        assert find() == ["early"]
        url, name = os.environ["BITVAULT_DATABASE_ADMIN_URL"], connection.settings_dict["NAME"]
        with psycopg.connect(url, dbname=name, autocommit=True) as admin:
            admin.execute(f'ALTER TABLE "{acme.schema}".web_idempotency_key ADD COLUMN later text')
        assert find() == ["early"]


def test_a_failure_leaves_the_next_transaction_whole(acme):
    with tenancy.entered(acme):
        add("once")
        with pytest.raises(DatabaseError, match="duplicate"):
            add("once")
        add("twice")
        assert find() == ["once", "twice"]


def test_a_pooler_that_knows_no_prepared_statements_can_be_served(acme, settings):
    settings.BITVAULT_DATABASE_PREPARED_STATEMENTS = False
    connection.close()
    with tenancy.entered(acme):
        for key in "abc":
            add(key)
        assert find() == ["a", "b", "c"]
    assert prepared_statements() == []
    connection.close()


def test_behind_a_pooler_nothing_is_prepared(acme, monkeypatch):
    # A pooler names a process of its own making: who cancels a query by it reaches the pooler.
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)
    connection.close()
    with tenancy.entered(acme):
        add("a")
        assert find() == ["a"]
    assert prepared_statements() == []
    connection.close()


def test_a_named_placeholder_is_one_argument_wherever_it_stands():
    with db.prepared_cursor() as cursor:
        cursor.execute("SELECT %(a)s::int, %(b)s::text, %(a)s::int + 1, '50%%'", {"b": "b", "a": 1, "unused": None})
        assert cursor.fetchone() == (1, "b", 2, "50%")
    (kept,) = [statement for statement in prepared_statements() if "50%" in statement]
    assert "SELECT $1::int, $2::text, $1::int + 1, '50%';" in kept


def test_arguments_of_every_kind_arrive_as_they_are():
    moment = now()
    given = ["it's 100% \\ “so”", moment, None, True, 2**40, b"\0\xff'", [1, None], ["a,b", '"']]
    kinds = ["text", "timestamptz", "uuid", "bool", "bigint", "bytea", "int[]", "text[]"]
    with db.prepared_cursor() as cursor:
        for _ in range(2):
            cursor.execute(f"SELECT {', '.join('%s::' + kind for kind in kinds)}", given)
            *row, numbers, texts = cursor.fetchone()
            assert [bytes(one) if isinstance(one, memoryview) else one for one in row] == given[:6]
            assert [numbers, texts] == given[6:]


def test_a_statement_that_failed_at_its_first_run_can_be_run(acme):
    sql = "SELECT 1 / %s"
    with tenancy.entered(acme):
        for _ in range(2):
            with pytest.raises(DatabaseError, match="division"):
                db.read_alone(sql, [0])
        assert db.read_alone(sql, [1]) == [(1,)]


def test_a_statement_that_cannot_be_written_leaves_the_beginning_to_the_next(acme):
    with tenancy.entered(acme), db.write_transaction():
        with pytest.raises(DataError, match="NUL"), db.prepared_cursor() as cursor:
            cursor.execute("SELECT %s::text", ["\0"])
        with db.prepared_cursor() as cursor:
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchone() == (acme.schema,)


def test_records_of_queries_show_them_with_their_values(acme):
    with tenancy.entered(acme), CaptureQueriesContext(connection) as captured:
        find()
    assert any(_USER in query["sql"] for query in captured.captured_queries)
