"""Schemas of tenants follow the code: the replayed one equals the migrated one, and a killed migration goes on where it stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.identity import models, provisioning
from bitvault.kernel import clock, ids, tenancy
from tests.support.world import ACME

pytestmark = pytest.mark.committed

ROOT = Path(__file__).resolve().parents[3]
HOW_MANY = 6

# A dropped column leaves a gap in the numbers of a migrated table, which a dump does not have: what counts is the order.
_SHAPES = {
    "columns": """
        SELECT table_name, column_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), data_type, udt_name, is_nullable, character_maximum_length,
               column_default, is_identity, identity_generation, collation_name
        FROM information_schema.columns WHERE table_schema = %s ORDER BY 1, 3
    """,
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s ORDER BY 1, 2",
    "constraints": """
        SELECT c.conrelid::regclass::text, c.conname, c.contype, c.condeferrable, c.condeferred, c.convalidated,
               pg_get_constraintdef(c.oid)
        FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = %s ORDER BY 1, 2
    """,
    "sequences": """
        SELECT sequencename, data_type::text, start_value, increment_by, max_value, cache_size
        FROM pg_sequences WHERE schemaname = %s ORDER BY 1
    """,
    "triggers": """
        SELECT t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND NOT t.tgisinternal ORDER BY 1
    """,
    "statistics and options": """
        SELECT c.relname, c.relkind, c.reloptions, c.relrowsecurity FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s ORDER BY 1
    """,
    "functions": """
        SELECT p.proname, pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = %s ORDER BY 1
    """,
}


def shape(schema):
    found = {}
    with connection.cursor() as cursor:
        for name, query in _SHAPES.items():
            cursor.execute(query, [schema])
            found[name] = [[_plain(value, schema) for value in row] for row in cursor.fetchall()]
        cursor.execute(f'SELECT app, name FROM "{schema}".django_migrations ORDER BY id')
        found["records of migrations"] = cursor.fetchall()
    return found


def _plain(value, schema):
    """Give a definition without what PostgreSQL itself writes differently once it has read its own text: casts of lists."""
    return re.sub(r"::(character varying|text)(\[\])?|[()]", "", str(value).replace(schema, "<schema>"))


@pytest.fixture
def tenants():
    """Six tenants whose schemas lack a table that the code has: they are behind."""
    rows = []
    for number in range(HOW_MANY):
        key = ids.new_id()
        with transaction.atomic():
            rows.append(
                models.Tenant.objects.create(
                    id=key,
                    slug=f"many-{number}",
                    name=f"Many {number}",
                    schema_name=tenancy.schema_of(key),
                    schema_version=provisioning.create_schema(key),
                    created_at=clock.now(),
                )
            )
    with provisioning.as_owner(), connection.cursor() as cursor:
        for row in rows:
            cursor.execute(f'DROP TABLE "{row.schema_name}".web_idempotency_key')
            cursor.execute(f"DELETE FROM \"{row.schema_name}\".django_migrations WHERE app = 'web'")
    models.Tenant.objects.filter(slug__startswith="many-").update(schema_version="an older state")
    return rows


def behind():
    return {tenant.slug for tenant in provisioning.list_tenants_behind()}


def has_table(tenant):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{tenant.schema_name}.web_idempotency_key"])
        return cursor.fetchone()[0] is not None


def test_a_replayed_schema_equals_one_that_was_migrated_from_nothing():
    schema = tenancy.schema_of(ids.new_id())
    with provisioning.as_owner():
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{schema}"')
        provisioning._migrate_schema(schema, verbosity=0)
        migrated, replayed = shape(schema), shape(tenancy.schema_of(ACME.id))
    assert len(migrated["columns"]) > 50
    assert len(migrated["constraints"]) > 10
    for part, rows in migrated.items():
        assert [row for row in rows if row not in replayed[part]] == [], part
        assert [row for row in replayed[part] if row not in rows] == [], part
        assert replayed[part] == rows, part


def test_tenants_that_are_behind_are_brought_up_and_the_others_left_alone(tenants):
    assert behind() == {tenant.slug for tenant in tenants}
    with pytest.raises(CommandError, match=f"{HOW_MANY} tenants are behind"):
        call_command("migrate_tenants", "--check")
    call_command("migrate_tenants", verbosity=0)
    assert behind() == set()
    with provisioning.as_owner():
        assert all(has_table(tenant) for tenant in tenants)
        assert shape(tenants[0].schema_name)["columns"] == shape(tenancy.schema_of(ACME.id))["columns"]
    call_command("migrate_tenants", "--check")


def test_what_a_migration_makes_is_the_tenants_to_use(tenants):
    call_command("migrate_tenants", verbosity=0)
    from bitvault.kernel import db
    from bitvault.web.models import IdempotencyKey

    tenant = tenancy.Tenant(id=tenants[0].id, slug=tenants[0].slug, name=tenants[0].name)
    with tenancy.entered(tenant), db.read_transaction():
        assert IdempotencyKey.objects.count() == 0


def test_killed_after_some_tenants_it_goes_on_where_it_stopped(tenants):
    command = [sys.executable, "manage.py", "migrate_tenants", "--verbosity=0"]
    running = subprocess.Popen(command, cwd=ROOT, env=os.environ)
    try:
        deadline = time.monotonic() + 60
        while len(behind()) > HOW_MANY - 2 and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.005)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    left = behind()
    assert 0 < len(left) <= HOW_MANY - 2, "the kill came too early or too late"
    assert subprocess.run(command, cwd=ROOT, env=os.environ, check=False).returncode == 0
    assert behind() == set()
    with provisioning.as_owner():
        shapes = [shape(tenant.schema_name) for tenant in tenants]
    assert all(found == shapes[0] for found in shapes)


def test_one_tenant_that_cannot_be_migrated_does_not_hold_up_the_others(tenants, monkeypatch):
    broken = tenants[1]
    original = provisioning.migrate_tenant

    def migrate(tenant, **options):
        if tenant.id == broken.id:
            raise DatabaseError("its disk is full")
        original(tenant, **options)

    monkeypatch.setattr(provisioning, "migrate_tenant", migrate)
    with pytest.raises(CommandError, match=r"(?s)stay as they were.*many-1: its disk is full"):
        call_command("migrate_tenants", verbosity=0)
    assert behind() == {"many-1"}


def test_a_database_that_was_not_migrated_makes_no_tenant(email):
    from apps.identity import api

    models.TenantTemplate.objects.all().delete()
    with pytest.raises(provisioning.TemplateMissing):
        api.create_tenant(slug="newco", name="Newco", owner_email=email, owner_password="a sentence of my own")
    assert not models.Tenant.objects.filter(slug="newco").exists()
