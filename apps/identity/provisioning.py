"""Schemas of tenants: how a new one comes to be in a fraction of a second, and how all of them follow the code.

A template schema is migrated like a tenant's, dumped once to SQL and kept with the hash of the migrations. A new tenant is that SQL
replayed under another name, in the transaction that writes the tenant's row: 0.15 s instead of 10 s of migrations, and
nothing half-made is ever seen. Rights are given afterwards: only the tenant's own role may use the schema.
"""

import hashlib
import importlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import Error as AnyDatabaseError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from apps.identity import models, operator_roles
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.errors import ProgrammingError
from bitvault.kernel.postgres.programs import run_program

logger = structlog.get_logger(__name__)

OWNER_ROLE = "bitvault_owner"
LOGIN_ROLE = "bitvault"
GROUP_ROLE = "bitvault_tenant"

_LINES_LEFT_OUT = re.compile(r"^(\\|--|SET |SELECT pg_catalog\.set_config)")


class TemplateMissing(ProgrammingError):
    """The database was not migrated for the code that runs: ``manage.py migrate_tenants`` does it."""


def compute_schema_version() -> str:
    """Hash the migrations of all apps with tables in tenants' schemas: equal hashes, equal schemas."""
    digest = hashlib.sha256()
    labels = {apps.get_app_config(name.rpartition(".")[2]).label for name in settings.TENANT_APPS}
    for label, name in sorted(MigrationLoader(None).disk_migrations):
        if label in labels:
            digest.update(f"{label}.{name}\n".encode())
            digest.update(_migration_file(label, name).read_bytes())
    return digest.hexdigest()


def _migration_file(label: str, name: str) -> Path:
    return Path(apps.get_app_config(label).path) / "migrations" / f"{name}.py"


@contextmanager
def as_owner() -> Iterator[None]:
    """Reconnect as the owner of all schemas inside the block: for migrations, in a process that does nothing else."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(settings.BITVAULT_DATABASE_OWNER)
    connection.settings_dict["NAME"] = before["NAME"]  # tests run in a database of another name
    # statement_timeout guards requests; a migration may rightly take longer. lock_timeout stays: it must not queue behind readers.
    connection.settings_dict["OPTIONS"] = {"options": f"-c role={OWNER_ROLE} -c statement_timeout=0"}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)


def migrate_public(*, verbosity: int = 0) -> None:
    """Bring the ``public`` schema up to the code (as owner)."""
    _migrate_schema(tenancy.PUBLIC_SCHEMA, verbosity=verbosity)
    operator_roles.ensure_groups()


def migrate_template(*, verbosity: int = 0) -> None:
    """Bring the template schema up to the code and keep the SQL that makes it (as owner); nothing to do when that is kept already."""
    version = compute_schema_version()
    if models.TenantTemplate.objects.filter(schema_version=version).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{tenancy.TEMPLATE_SCHEMA}"')
    _migrate_schema(tenancy.require_schema_name(tenancy.TEMPLATE_SCHEMA), verbosity=verbosity)
    models.TenantTemplate.objects.update_or_create(
        schema_version=version, defaults={"statements": _dump_template(), "created_at": clock.now()}
    )


def list_tenants_behind() -> list[models.Tenant]:
    """List the tenants whose schema does not follow the code yet, oldest first: one query when there are none."""
    rows = models.Tenant.objects.exclude(schema_version=compute_schema_version())
    return list(rows.exclude(state=models.TenantState.REMOVING).order_by("id"))


def migrate_tenant(tenant: models.Tenant, *, verbosity: int = 0) -> None:
    """Bring one tenant's schema up to the code (as owner). Killed in the middle, it goes on where it stopped."""
    schema = tenancy.require_schema_name(tenant.schema_name)
    _migrate_schema(schema, verbosity=verbosity)
    with connection.cursor() as cursor:
        # New tables have the rights of all others until those are taken to which rows may only be added.
        cursor.execute(_rights(schema))
    models.Tenant.objects.filter(pk=tenant.pk).update(schema_version=compute_schema_version())


def _migrate_schema(schema: str, *, verbosity: int) -> None:
    # Without `public` on the path first: the schema must get a record of migrations of its own, not find the public one.
    connection.set_schema(schema, include_public=False)  # type: ignore[attr-defined] # our backend has it
    MigrationRecorder(connection).ensure_schema()
    connection.set_schema(schema)  # type: ignore[attr-defined] # our backend has it
    try:
        call_command(MigrateCommand(), interactive=False, verbosity=verbosity, skip_checks=True)
    finally:
        connection.set_schema_to_public()  # type: ignore[attr-defined] # our backend has it


def _dump_template() -> str:
    """Dump the template schema as statements that a replay can run; migrations' own records come along as rows."""
    database = connection.settings_dict
    arguments = [
        f"--schema={tenancy.TEMPLATE_SCHEMA}",
        f"--role={OWNER_ROLE}",
        "--inserts",
        "--no-owner",
        "--no-privileges",
        f"--dbname={database['NAME']}",
        f"--host={database['HOST']}",
        f"--port={database['PORT'] or 5432}",
        f"--username={database['USER']}",
    ]
    surroundings = {**os.environ, "PGPASSWORD": str(database["PASSWORD"])}
    done = run_program("pg_dump", *arguments, environment=surroundings)
    if done.returncode != 0:
        raise ProgrammingError(f"pg_dump of the template schema failed: {done.stderr.strip()}")
    lines = [line for line in done.stdout.splitlines() if line.strip() and not _LINES_LEFT_OUT.match(line)]
    creating = f"CREATE SCHEMA {tenancy.TEMPLATE_SCHEMA};"
    return "\n".join(line for line in lines if line != creating)


def create_schema(tenant_id: UUID) -> str:
    """Make the role and the schema of a new tenant in the open transaction; returns the hash of what it was made from.

    :raises TemplateMissing: the database was not migrated for this code.
    """
    schema = tenancy.require_schema_name(tenancy.schema_of(tenant_id))
    version = compute_schema_version()
    template = models.TenantTemplate.objects.filter(schema_version=version).values_list("statements", flat=True).first()
    if template is None:
        raise TemplateMissing("run manage.py migrate_tenants")
    statements = template.replace(f"{tenancy.TEMPLATE_SCHEMA}.", f"{schema}.")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
        ensure_role(cursor, schema)
        cursor.execute(f'CREATE SCHEMA "{schema}"')
        cursor.execute("SET LOCAL check_function_bodies = off")
        _execute_script(cursor, statements)
        cursor.execute(_rights(schema))
        cursor.execute("RESET ROLE")
    return version


def ensure_role(cursor: Any, schema: str) -> None:
    """Make the role of a tenant, unless it is there (as owner).

    Roles belong to the whole server, schemas to one database: after a restore, or beside another copy, the role is there already.
    """
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [tenancy.require_schema_name(schema)])
    if cursor.fetchone() is None:
        cursor.execute(f'CREATE ROLE "{schema}" NOLOGIN IN ROLE {GROUP_ROLE}')
    cursor.execute(f'GRANT "{schema}" TO {LOGIN_ROLE} WITH INHERIT FALSE, SET TRUE')


def prepare_restore(tenant_ids: Iterable[UUID]) -> None:
    """Make what no dump of a schema brings, unless it is there: PostgreSQL's extensions, and the roles of tenants."""
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
        cursor.execute("SELECT to_regnamespace('extensions') IS NULL")
        if cursor.fetchone()[0]:
            _execute_script(cursor, importlib.import_module("apps.identity.migrations.0004_extensions").EXTENSIONS)
        for tenant_id in tenant_ids:
            ensure_role(cursor, tenancy.schema_of(tenant_id))


def drop_schema(tenant_id: UUID) -> None:
    """Drop the schema and the role of a tenant in the open transaction; what is gone already is none of its business."""
    schema = tenancy.require_schema_name(tenancy.schema_of(tenant_id))
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
        cursor.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        try:
            with transaction.atomic():
                cursor.execute(f'DROP ROLE IF EXISTS "{schema}"')
        except AnyDatabaseError as error:
            # Roles belong to the whole server: another copy of the database may have this one still.
            logger.info("role_of_tenant_kept", schema=schema, error=type(error).__name__)
        cursor.execute("RESET ROLE")


def _execute_script(cursor: Any, statements: str) -> None:
    """Run a script of many statements that may hold ``%``: without parameters psycopg sends it as it is."""
    cursor.execute(statements)


def _rights(schema: str) -> str:
    """Give the tenant's role its rights: everything on rows, except where rows may only be added."""
    verbs = "SELECT, INSERT, UPDATE, DELETE"
    append_only = "".join(
        f'REVOKE UPDATE, DELETE, TRUNCATE ON "{schema}".{model._meta.db_table} FROM "{schema}";'  # noqa: SLF001 - Django's public name for it
        for model in apps.get_models()
        if getattr(model, "append_only", False)
    )
    return f"""
        GRANT USAGE ON SCHEMA "{schema}" TO "{schema}";
        GRANT {verbs} ON ALL TABLES IN SCHEMA "{schema}" TO "{schema}";
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{schema}";
        ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema}" GRANT {verbs} ON TABLES TO "{schema}";
        ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema}" GRANT USAGE ON SEQUENCES TO "{schema}";
        {append_only}
    """
