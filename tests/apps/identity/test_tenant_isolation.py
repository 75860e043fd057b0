"""What the database itself refuses, whatever our code does wrong."""

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.identity import api
from bitvault.events.api import publish
from bitvault.events.catalog.identity import TenantActivated
from bitvault.events.models import StreamEvent, StreamHead
from bitvault.kernel import db, tenancy
from bitvault.kernel.tenancy import Tenant
from tests.support.world import ACME, BETA

pytestmark = pytest.mark.committed


@pytest.fixture
def newco(email):
    made = api.create_tenant(slug="newco", name="Newco", owner_email=email, owner_password="a sentence of my own")
    return Tenant(id=made.id, slug=made.slug, name=made.name)


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else cursor.rowcount


@pytest.mark.parametrize(
    "table", ["files_node", "storage_blob", "billing_quota", "web_idempotency_key", "django_migrations"]
)
def test_the_login_role_reads_no_table_of_any_tenant(newco, table):
    for schema in (newco.schema, f"t_{ACME.id.hex}", "t_template"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(f'SELECT * FROM "{schema}"."{table}"')


def test_a_tenants_role_reaches_its_own_schema_and_no_other(newco, acme):
    for own, other in ((newco, acme), (acme, newco)):
        with tenancy.entered(own):
            with db.read_transaction():
                run("SELECT * FROM files_node")
            for statement in (
                f'SELECT * FROM "{other.schema}".files_node',
                f'INSERT INTO "{other.schema}".files_node DEFAULT VALUES',
                f'SET LOCAL ROLE "{other.schema}X"',
                f'CREATE TABLE "{other.schema}".planted (id int)',
            ):
                with pytest.raises(Exception, match=r"permission denied|does not exist"), db.write_transaction():
                    run(statement)


def test_a_tenants_role_makes_and_changes_no_tables(newco):
    with tenancy.entered(newco):
        for statement in (
            "CREATE TABLE planted (id int)",
            "CREATE TABLE public.planted (id int)",
            "ALTER TABLE files_node ADD COLUMN planted int",
            "DROP TABLE files_node",
            "TRUNCATE files_node",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), db.write_transaction():
                run(statement)


@pytest.mark.parametrize(
    "table", ["identity_user", "identity_api_token", "identity_session", "identity_tenant", "identity_membership"]
)
def test_a_tenants_role_reads_nothing_of_identity(newco, table):
    with tenancy.entered(newco), pytest.raises(ProgrammingError, match="permission denied"), db.read_transaction():
        run(f"SELECT * FROM public.{table}")


def test_rows_of_the_stream_are_hidden_from_other_tenants(newco, acme):
    with tenancy.entered(acme), db.write_transaction():
        publish(TenantActivated())
    assert StreamEvent.objects.filter(tenant_id=ACME.id).count() == 1
    with tenancy.entered(newco):
        with db.read_transaction():
            assert {row.tenant_id for row in StreamHead.objects.all()} == {newco.id}
            assert {row.tenant_id for row in StreamEvent.objects.all()} == {newco.id}
            assert StreamEvent.objects.filter(tenant_id=ACME.id).count() == 0
        with db.write_transaction():
            assert StreamHead.objects.filter(tenant_id=ACME.id).update(last_seq=99) == 0
        with pytest.raises(ProgrammingError, match="row-level security"), db.write_transaction():
            run(
                f"INSERT INTO public.events_stream_event (tenant_id, seq, id, type, occurred_at, payload) "
                f"VALUES ('{ACME.id}', 2, gen_random_uuid(), 'x', now(), '{{}}')"
            )
        for statement in (
            "UPDATE public.events_stream_event SET type = 'x'",
            "DELETE FROM public.events_stream_event",
            "DELETE FROM public.events_stream_head",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), db.write_transaction():
                run(statement)


def test_schema_and_role_are_left_with_the_transaction(newco):
    with tenancy.entered(newco):
        with db.read_transaction():
            assert run("SELECT current_user, current_schema()") == [(newco.schema, newco.schema)]
        assert run("SELECT current_user, current_schema()") == [("bitvault", "public")]
        with pytest.raises(ProgrammingError), db.write_transaction():
            run("SELECT nonsense")
        assert run("SELECT current_user, current_schema()") == [("bitvault", "public")]


def test_making_a_tenant_leaves_the_login_role_as_it_was(newco):
    assert run("SELECT session_user, current_user, current_schema()") == [("bitvault", "bitvault", "public")]
    with pytest.raises(ProgrammingError), transaction.atomic():
        run("CREATE SCHEMA planted")


def test_two_tenants_number_their_streams_apart(newco, acme, beta):
    for tenant in (acme, beta, acme):
        with tenancy.entered(tenant), db.write_transaction() as tx:
            publish(TenantActivated())
        assert tx.seq == StreamHead.objects.get(tenant_id=tenant.id).last_seq
    assert [StreamHead.objects.get(tenant_id=key).last_seq for key in (ACME.id, BETA.id, newco.id)] == [2, 1, 2]
