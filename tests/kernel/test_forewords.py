"""What has to be said around a transaction's statements travels with them, and nothing is asked of a connection that is well."""

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg.pq import TransactionStatus

from bitvault.kernel import db, tenancy
from bitvault.kernel.errors import ProgrammingError

pytestmark = pytest.mark.committed


def status():
    return connection.connection.info.transaction_status


def ask(sql, parameters=None, *, rows=True):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0] if rows else None


@pytest.fixture
def connected():
    connection.ensure_connection()


def test_a_transaction_without_a_statement_says_nothing_to_the_server(connected, acme):
    with tenancy.entered(acme):
        with db.write_transaction(lock="tree"):
            assert status() is TransactionStatus.IDLE
        assert status() is TransactionStatus.IDLE
        assert ask("SELECT current_user") == "bitvault"


def test_the_first_statement_begins_the_transaction_and_gives_its_own_rows(connected, acme):
    with tenancy.entered(acme), db.write_transaction(lock="tree"):
        assert ask("SELECT current_user || %s", ["%"]) == f"{acme.schema}%"
        assert status() is TransactionStatus.INTRANS
    assert status() is TransactionStatus.IDLE


def test_a_lock_is_held_from_the_first_statement_to_the_end(connected, acme):
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    with tenancy.entered(acme):
        with db.write_transaction(lock="tree"):
            assert ask(held) == 1
        assert ask(held) == 0


def test_a_first_statement_that_fails_takes_the_transaction_with_it(connected, acme):
    with tenancy.entered(acme):
        with pytest.raises(DatabaseError, match="division"), db.write_transaction():
            ask("SELECT 1/0")
        assert status() is TransactionStatus.IDLE
        with db.write_transaction():
            assert ask("SELECT current_user") == acme.schema


def test_a_statement_of_many_rows_comes_after_the_beginning_too(connected, acme):
    with tenancy.entered(acme), db.write_transaction(), connection.cursor() as cursor:
        cursor.executemany("SELECT %s::int", [(1,), (2,)])
        assert status() is TransactionStatus.INTRANS
        assert ask("SELECT current_user") == acme.schema


def test_copying_comes_after_the_beginning_too(connected, acme):
    with tenancy.entered(acme), db.write_transaction(), connection.cursor() as cursor:
        with cursor.copy("COPY (SELECT current_user) TO STDOUT") as rows:
            assert list(rows.rows()) == [(acme.schema,)]
        assert status() is TransactionStatus.INTRANS


def test_a_named_cursor_comes_after_the_beginning_too(connected, acme):
    with tenancy.entered(acme), db.read_transaction(), connection.create_cursor("named") as cursor:
        cursor.execute("SELECT current_user::text")
        assert cursor.fetchone() == (acme.schema,)


def test_what_was_to_be_said_is_forgotten_with_its_connection(connected, acme):
    with pytest.raises(OperationalError), tenancy.entered(acme), db.write_transaction():
        connection.connection.close()
        ask("SELECT 1")
    connection.close()
    assert ask("SELECT current_user") == "bitvault"


def test_a_connection_that_the_server_has_ended_is_noticed_without_a_query(connected):
    from tests.support import databases

    assert connection.is_usable()
    with databases.administration() as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    assert not connection.is_usable()
    connection.close()


def test_a_well_connection_is_asked_nothing(connected):
    server_process = connection.connection.info.backend_pid
    from tests.support import databases

    with databases.administration() as admin:
        started = "SELECT query_start FROM pg_stat_activity WHERE pid = %s"
        before = admin.execute(started, [server_process]).fetchone()
        assert connection.is_usable()
        assert admin.execute(started, [server_process]).fetchone() == before


# --- the last statement ------------------------------------------------------------------------------------------------------


def end_with(sql, parameters=None):
    """Have the open transaction end with a statement; its rows are kept in the list that comes back."""
    rows = []
    tx = db.require_writing()
    tx.before_commit(lambda tx: rows.extend(tx.run_last(sql, parameters or {})))
    return rows


def add_and_end_with(sql):
    """Write a row, and end the transaction with a statement."""
    ask(
        "INSERT INTO web_idempotency_key (user_id, key, fingerprint, answer, created_at) "
        "VALUES (gen_random_uuid(), 'lost', '', '', now()) RETURNING key"
    )
    return end_with(sql)


def count_rows():
    with db.read_transaction():
        return ask("SELECT count(*) FROM web_idempotency_key")


def test_the_last_statement_commits_and_gives_its_rows(connected, acme):
    with tenancy.entered(acme):
        with db.write_transaction(lock="tree") as tx:
            rows = end_with("SELECT current_user || %(sign)s", {"sign": "%"})
            tx.after_commit(lambda: rows.append(status()))
        assert rows == [(f"{acme.schema}%",), TransactionStatus.IDLE]


def test_the_first_statement_can_be_the_last_one(connected, acme):
    with tenancy.entered(acme), db.write_transaction():
        rows = end_with("SELECT current_user::text")
    assert rows == [(acme.schema,)]
    assert status() is TransactionStatus.IDLE


def test_after_the_last_statement_none_is_taken(connected, acme):
    def go_on(tx):
        tx.run_last("SELECT 1", {})
        ask("SELECT 2")

    with tenancy.entered(acme):
        with pytest.raises(ProgrammingError, match="ended"), db.write_transaction() as tx:
            tx.before_commit(go_on)
        assert ask("SELECT current_user") == "bitvault"


def test_queries_can_be_recorded_up_to_the_last_one(connected, acme):
    with tenancy.entered(acme), CaptureQueriesContext(connection) as captured, db.write_transaction():
        rows = end_with("SELECT %(n)s::int", {"n": 7})
    assert rows == [(7,)]
    assert any(query["sql"].endswith("SELECT 7::int") for query in captured.captured_queries)


def test_a_last_statement_that_fails_undoes_all(connected, acme):
    with tenancy.entered(acme):
        with pytest.raises(DatabaseError, match="division"), db.write_transaction():
            add_and_end_with("SELECT 1/0")
        assert count_rows() == 0


def test_a_commit_that_fails_undoes_all(connected, acme):
    with tenancy.entered(acme):
        with pytest.raises(DatabaseError, match="twice"), db.write_transaction() as tx:
            ask(
                "CREATE TEMP TABLE deferring (id int, CONSTRAINT twice UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)",
                rows=False,
            )
            ask("INSERT INTO deferring VALUES (1)", rows=False)
            add_and_end_with("INSERT INTO deferring VALUES (1) RETURNING id")
            tx.after_commit(lambda: pytest.fail("it was not committed"))
        assert status() is TransactionStatus.IDLE
        assert count_rows() == 0
        with db.write_transaction():
            add_and_end_with("SELECT 1")
        assert count_rows() == 1


def test_a_connection_that_ends_before_the_last_statement_undoes_all(connected, acme):
    from tests.support import databases

    with tenancy.entered(acme):
        with pytest.raises(OperationalError), db.write_transaction(), databases.administration() as admin:
            add_and_end_with("SELECT 1")
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        connection.close()
        assert count_rows() == 0


_ADD = """
INSERT INTO web_idempotency_key (user_id, key, fingerprint, answer, created_at)
SELECT gen_random_uuid(), %(key)s::text, '', '', now() WHERE 1 / %(divisor)s::int IS NOT NULL
"""


def add_with_next(key, divisor=1):
    """Write a row in the round trip of the statement that follows, which counts the rows that it sees."""
    with db.write_transaction() as tx:
        tx.run_with_next(_ADD, {"key": key, "divisor": divisor})
        return end_with("SELECT count(*) FROM web_idempotency_key")


def test_what_goes_with_the_next_statement_is_run_before_it(connected, acme):
    with tenancy.entered(acme):
        # The first time on a connection the server learns the statement, and from then on it travels.
        assert [add_with_next(key) for key in ("a", "b", "c")] == [[(1,)], [(2,)], [(3,)]]
        assert count_rows() == 3


def test_what_goes_with_the_next_statement_takes_no_round_trip_of_its_own(connected, acme):
    with tenancy.entered(acme):
        add_with_next("a")
        with CaptureQueriesContext(connection) as captured:
            add_with_next("b")
    assert [query["sql"] for query in captured if query["sql"] != "COMMIT"] == [
        "SELECT count(*) FROM web_idempotency_key"
    ]


@pytest.mark.parametrize("known", [False, True])
def test_what_goes_with_the_next_statement_and_fails_undoes_all(connected, acme, known):
    with tenancy.entered(acme):
        if known:
            add_with_next("a")
        with pytest.raises(DatabaseError, match="division"), db.write_transaction() as tx:
            tx.run_with_next(_ADD, {"key": "b", "divisor": 0})
            end_with("SELECT 1")
        assert status() is TransactionStatus.IDLE
        assert count_rows() == int(known)


def test_what_was_to_go_with_the_next_statement_is_run_where_there_is_none(connected, acme):
    with tenancy.entered(acme):
        with db.write_transaction() as tx:
            tx.run_with_next(_ADD, {"key": "a", "divisor": 1})
        assert count_rows() == 1


def test_inside_a_transaction_of_somebody_else_none_is_begun(connected, acme):
    with (
        transaction.atomic(),
        tenancy.entered(acme),
        pytest.raises(RuntimeError, match="durable"),
        db.write_transaction(),
    ):
        raise AssertionError
    assert db.find_open() is None
