"""PostgreSQL's extensions: in a schema of their own, found from every tenant's transaction and by its migrations, in no template."""

import pytest
from django.db import DatabaseError, connection

from apps.identity import provisioning
from apps.identity.models import TenantTemplate
from bitvault.kernel import db, tenancy

EXTENSIONS = ["btree_gin", "ltree", "pg_trgm", "unaccent"]


def fetch(sql: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def test_extensions_live_in_a_schema_of_their_own(db):
    (names, places) = fetch("""
        SELECT array_agg(extname ORDER BY extname), array_agg(DISTINCT nspname)
          FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname <> 'plpgsql'
    """)
    assert (names, places) == (EXTENSIONS, ["extensions"])


def test_a_tenants_transaction_finds_what_they_bring_without_naming_their_schema(tenant):
    with db.read_transaction():
        assert fetch("""
            SELECT unaccent('Übersicht Łódź'), 'report' % 'reports', 'top.year.month'::ltree <@ 'top.year', current_user
        """) == ("Ubersicht Lodz", True, True, tenant.schema)


def test_a_tenant_can_make_nothing_in_their_schema(tenant):
    with pytest.raises(DatabaseError, match="permission denied for schema extensions"), db.write_transaction():
        fetch("CREATE TABLE extensions.mine (i int)")


@pytest.mark.committed
def test_a_tenants_migration_can_index_with_them(acme):
    with provisioning.as_owner():
        connection.set_schema(tenancy.require_schema_name(acme.schema))
        try:
            with connection.cursor() as cursor:
                cursor.execute("""
                    CREATE TABLE trial (name text, kind bigint);
                    CREATE INDEX trial_name ON trial USING gin (name gin_trgm_ops, kind int8_ops)
                """)
        finally:
            connection.set_schema_to_public()


def test_the_template_of_new_tenants_holds_no_extension(db):
    (statements,) = TenantTemplate.objects.values_list("statements", flat=True)
    assert "CREATE TABLE" in statements
    assert "EXTENSION" not in statements
    assert "gtrgm" not in statements
