"""Transactions are the only way to a tenant's tables, and they keep their promises on any connection."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, connections

from bitvault.kernel import db, tenancy
from bitvault.kernel.clock import now
from bitvault.web.models import IdempotencyKey

pytestmark = pytest.mark.committed


def add_key(text: str) -> None:
    IdempotencyKey.objects.create(
        user_id="01900000-0000-7000-8000-000000000001", key=text, fingerprint=b"", answer=b"", created_at=now()
    )


def list_keys() -> list[str]:
    with db.read_transaction():
        return list(IdempotencyKey.objects.order_by("key").values_list("key", flat=True))


def settings_of_the_connection() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path'), current_user")
        return cursor.fetchone()


def test_rows_are_kept_apart_by_tenant(acme, beta):
    with tenancy.entered(acme), db.write_transaction():
        add_key("of acme")
    with tenancy.entered(beta), db.write_transaction():
        add_key("of beta")
    with tenancy.entered(acme):
        assert list_keys() == ["of acme"]
    with tenancy.entered(beta):
        assert list_keys() == ["of beta"]


def test_nothing_of_the_tenant_is_left_on_the_connection(acme):
    before = settings_of_the_connection()
    with tenancy.entered(acme), db.write_transaction():
        assert settings_of_the_connection() == (f"{acme.schema}, public, extensions", acme.schema)
    assert settings_of_the_connection() == before == ("public", "bitvault")


def test_nothing_of_the_tenant_is_left_after_a_failure(acme):
    with pytest.raises(ZeroDivisionError), tenancy.entered(acme), db.write_transaction():
        add_key("lost")
        raise ZeroDivisionError
    assert settings_of_the_connection() == ("public", "bitvault")
    with tenancy.entered(acme):
        assert list_keys() == []


def test_a_failed_statement_does_not_leave_the_next_transaction_in_the_wrong_schema(acme, beta):
    with pytest.raises(DatabaseError), tenancy.entered(acme), db.write_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")
    with tenancy.entered(beta), db.read_transaction():
        assert settings_of_the_connection()[1] == beta.schema


def test_outside_a_transaction_a_tenants_table_is_not_there(acme):
    with tenancy.entered(acme), pytest.raises(DatabaseError, match="does not exist"):
        IdempotencyKey.objects.count()


def test_without_a_tenant_there_is_no_transaction():
    with pytest.raises(tenancy.NoTenant), db.write_transaction():
        pass


def test_the_login_role_may_not_read_a_tenants_table_even_by_its_full_name(acme):
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{acme.schema}".web_idempotency_key')


def test_a_tenants_role_may_not_read_another_tenants_table(acme, beta):
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        tenancy.entered(acme),
        db.read_transaction(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f'SELECT * FROM "{beta.schema}".web_idempotency_key')


def test_a_tenants_role_may_not_read_identities(acme):
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        tenancy.entered(acme),
        db.read_transaction(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM identity_user")


def test_a_missing_tenant_table_is_an_error_and_never_a_public_one(acme):
    """Were a name in both schemas, a dropped tenant table would quietly become the public one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        public = {row[0] for row in cursor.fetchall()}
    with tenancy.entered(acme), db.read_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [acme.schema])
        own = {row[0] for row in cursor.fetchall()}
    # Each schema keeps its own record of migrations; no code but the migrator's reads it.
    assert public & own <= {"django_migrations"}
    assert own


def test_transactions_refuse_to_nest(acme):
    with tenancy.entered(acme), db.write_transaction():
        with pytest.raises(db.NestedTransaction), db.read_transaction():
            pass
        with pytest.raises(db.NestedTransaction), db.public_transaction():
            pass


def test_a_read_transaction_cannot_write(acme):
    with tenancy.entered(acme), pytest.raises(DatabaseError, match="read-only"), db.read_transaction():
        add_key("no")


def test_io_is_refused_inside_a_transaction(acme):
    with tenancy.entered(acme):
        db.forbid_transaction("a call")
        with db.read_transaction(), pytest.raises(db.OutsideWorldInTransaction):
            db.forbid_transaction("a call")


def test_hints_run_after_the_commit_and_only_then(acme):
    seen = []
    with tenancy.entered(acme):
        with db.write_transaction() as tx:
            add_key("first")
            tx.after_commit(lambda: seen.append(list_keys()))
            assert seen == []
        assert seen == [["first"]]
        with pytest.raises(ZeroDivisionError), db.write_transaction() as tx:
            tx.after_commit(lambda: seen.append("never"))
            raise ZeroDivisionError
    assert seen == [["first"]]


def test_a_row_of_one_tenant_cannot_be_saved_in_another(acme, beta):
    with tenancy.entered(acme):
        with db.write_transaction():
            add_key("home")
        with db.read_transaction():
            row = IdempotencyKey.objects.get(key="home")
    with tenancy.entered(beta), db.write_transaction():
        for act in (row.save, row.delete, row.refresh_from_db):
            with pytest.raises(tenancy.TenantMismatch):
                act()


@pytest.mark.parametrize(
    "ask",
    [
        list,
        lambda rows: list(rows.iterator()),
        lambda rows: list(rows.filter(key="home").values_list("key")),
        lambda rows: rows.count(),
        lambda rows: rows.exists(),
        lambda rows: rows.first(),
        lambda rows: rows.update(answer=b"taken"),
        lambda rows: rows.delete(),
    ],
    ids=["list", "iterator", "narrowed", "count", "exists", "first", "update", "delete"],
)
def test_a_question_that_was_put_for_one_tenant_is_not_asked_for_another(acme, beta, ask):
    with tenancy.entered(acme), db.write_transaction():
        add_key("home")
        rows = IdempotencyKey.objects.filter(key="home")
    with tenancy.entered(beta):
        with db.write_transaction():
            add_key("home")
        with db.write_transaction(), pytest.raises(tenancy.TenantMismatch):
            ask(rows)
        with db.read_transaction():
            assert [row.answer for row in IdempotencyKey.objects.filter(key="home")] != [b"taken"]


def test_entering_a_second_tenant_inside_the_first_is_refused(acme, beta):
    with tenancy.entered(acme):
        with tenancy.entered(acme):
            pass
        with pytest.raises(tenancy.TenantMismatch), tenancy.entered(beta):
            pass
        assert tenancy.current() == acme


def test_threads_start_without_a_tenant(acme):
    with tenancy.entered(acme), ThreadPoolExecutor(1) as pool:
        assert pool.submit(tenancy.find_current).result() is None


def test_two_hundred_mixed_threaded_transactions_never_meet_the_wrong_tenant(acme, beta):
    def visit(number: int) -> bool:
        tenant = (acme, beta)[number % 2]
        try:
            with tenancy.entered(tenant), db.read_transaction():
                return settings_of_the_connection()[1] == tenant.schema
        finally:
            if number % 5 == 0:
                connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(200)))
        list(pool.map(lambda _: connections.close_all(), range(8)))


def test_names_outside_the_database_start_with_the_tenant(acme, beta):
    with tenancy.entered(acme):
        assert tenancy.key("cache", 1) == f"{acme.id.hex}:cache:1"
        acme_lock = tenancy.lock_number("tree")
    with tenancy.entered(beta):
        assert tenancy.lock_number("tree") != acme_lock
    with pytest.raises(tenancy.NoTenant):
        tenancy.key("cache", 1)


@pytest.mark.parametrize("name", ["public", "t_", 't_"; DROP', "pg_catalog", "t_" + "g" * 32, "t_template; --"])
def test_only_names_of_tenants_schemas_come_near_sql(name):
    from bitvault.kernel.errors import ProgrammingError

    with pytest.raises(ProgrammingError):
        tenancy.require_schema_name(name)


# --- statements alone ------------------------------------------------------------------------------------------------------

ADD = """
INSERT INTO web_idempotency_key (user_id, key, fingerprint, answer, created_at)
VALUES ('01900000-0000-7000-8000-000000000001', %(key)s, '', '', now()) RETURNING key
"""
LIST = "SELECT key FROM web_idempotency_key WHERE key LIKE %(like)s ORDER BY key"


def test_a_statement_alone_is_a_transaction_of_its_tenant(acme, beta):
    with tenancy.entered(acme):
        assert db.write_alone(ADD, {"key": "100% of acme"}) == [("100% of acme",)]
        assert db.read_alone(LIST, {"like": "%"}) == [("100% of acme",)]
    with tenancy.entered(beta):
        assert db.read_alone(LIST, {"like": "%"}) == []
    assert settings_of_the_connection() == ("public", "bitvault")


def test_a_statement_alone_takes_one_round_trip(acme, monkeypatch):
    sent = []
    with tenancy.entered(acme):
        list_keys()  # connects
        monkeypatch.setattr(type(connection.connection), "wait", _counting(type(connection.connection).wait, sent))
        db.write_alone(ADD, {"key": "one"})
    assert len(sent) == 1


def _counting(wait, sent):
    def counted(self, *args, **options):
        sent.append(1)
        return wait(self, *args, **options)

    return counted


def test_a_statement_alone_that_fails_leaves_nothing(acme):
    with tenancy.entered(acme):
        with pytest.raises(DatabaseError):
            db.write_alone("INSERT INTO web_idempotency_key (key) VALUES (%(key)s) RETURNING key", {"key": "half"})
        assert settings_of_the_connection() == ("public", "bitvault")
        assert list_keys() == []
        db.write_alone(ADD, {"key": "whole"})
        assert list_keys() == ["whole"]


def test_a_statement_alone_that_reads_cannot_write(acme):
    with tenancy.entered(acme), pytest.raises(DatabaseError):
        db.read_alone(ADD, {"key": "sly"})


def test_a_statement_alone_needs_a_tenant_and_refuses_to_nest(acme):
    with pytest.raises(tenancy.NoTenant):
        db.read_alone(LIST, {"like": "%"})
    for transaction in (db.write_transaction, db.read_transaction, db.public_transaction):
        with tenancy.entered(acme), transaction(), pytest.raises(db.NestedTransaction):
            db.read_alone(LIST, {"like": "%"})


def test_a_statement_alone_survives_a_connection_that_was_lost_between_requests(acme):
    with tenancy.entered(acme):
        list_keys()
        with connections["default"].connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        _end_backend(pid)
        connection.health_check_done = False
        connection.health_check_enabled = True
        assert db.write_alone(ADD, {"key": "again"}) == [("again",)]
        assert list_keys() == ["again"]


def _end_backend(pid):
    import os

    import psycopg

    with psycopg.connect(os.environ["BITVAULT_DATABASE_ADMIN_URL"], autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
