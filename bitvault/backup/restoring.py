"""Restoring everything into an empty installation.

Tenants' schemas come first, then the objects, and the public schema last, in one transaction: until then nobody is known here, so no
process acts on half of it. A schema of its own marks a restore that has not come to its end: what is interrupted, wherever that was, is
begun anew; objects that have arrived are not sent a second time.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from apps.identity import api as identity
from apps.storage import api as storage
from bitvault.backup import arriving, checking, database, runs
from bitvault.backup.arriving import Brought, Proof, Report
from bitvault.backup.errors import BackupError
from bitvault.backup.manifest import KeptTenant, Manifest
from bitvault.backup.targets import Target
from bitvault.kernel.deadlines import background

LOADS_AT_ONCE = 2

_RIGHTS = """
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bitvault, bitvault_tenant;
ALTER DEFAULT PRIVILEGES FOR ROLE bitvault_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bitvault;
ALTER DEFAULT PRIVILEGES FOR ROLE bitvault_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO bitvault;
"""

_MARK = sql.Identifier("bitvault_restore")
_IS_MARKED = "SELECT to_regnamespace('bitvault_restore') IS NOT NULL"
_OF_TENANTS = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{32}$'"

_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM public.identity_tenant) AND NOT EXISTS (SELECT FROM public.identity_user)"


_IS_DEMO = """
SELECT NOT EXISTS (SELECT FROM public.identity_tenant WHERE slug <> 'demo')
   AND NOT EXISTS (SELECT FROM public.identity_user WHERE coalesce(email, claimed_email) NOT IN ('owner@demo.test', 'member@demo.test'))
"""
"""The demo that ``make up`` makes in each new installation, and nobody else."""


def restore(
    target: Target, taken: Manifest, *, discards_demo: bool = False, report: Report = lambda *_: None
) -> tuple[Brought, list[Proof]]:
    """Restore a whole backup; tenants are proved one after another.

    :param discards_demo: whether an installation counts as empty that has the demo tenant of the embedded stack alone.
    :raises Busy: a backup or a restore is under way.
    :raises BackupError: there is something here already, or the backup is damaged; the sentence says what to do.
    """
    with background(), database.alone() as line:
        checking.require_files(target, taken, taken.tenants)
        _begin(line, taken, discards_demo=discards_demo)
        identity.prepare_restore(tenant_ids=[tenant.id for tenant in taken.tenants])
        _load_tenants(target, taken, report)
        brought = arriving.bring_objects(target, taken, taken.tenants, report)
        _load_public(line, target, taken)
        connection.close()
        call_command("migrate_tenants", verbosity=0)
        identity.end_all_sessions()
        storage.forget_placements()
        runs.end_interrupted()
        proofs = list(_prove(taken, report))
        line.execute(sql.SQL("DROP SCHEMA {}").format(_MARK))
        return brought, proofs


def _begin(line: "psycopg.Connection[Any]", taken: Manifest, *, discards_demo: bool) -> None:
    """Mark that a restore is under way; of one that was interrupted, clear away what it has left.

    :raises BackupError: there are tenants or people here that no such restore has brought.
    """
    if _tells(line, _IS_MARKED):
        for (schema,) in line.execute(_OF_TENANTS).fetchall():
            line.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
    else:
        _require_empty(line, discards_demo=discards_demo)
        line.execute(sql.SQL("CREATE SCHEMA {}").format(_MARK))
    line.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(_MARK, f"restore of {taken.id}"))


def _require_empty(line: "psycopg.Connection[Any]", *, discards_demo: bool) -> None:
    """Refuse an installation that somebody uses already; one that was never migrated is empty.

    :raises BackupError: there are tenants or people.
    """
    if _tells(line, "SELECT to_regclass('public.identity_tenant') IS NOT NULL") and not _tells(line, _IS_EMPTY):
        is_demo = _tells(line, _IS_DEMO)
        if not (is_demo and discards_demo):
            raise BackupError(
                "There are tenants or people in this installation: a whole backup goes into an empty one alone. "
                + (
                    "It is only the demo that the embedded stack makes: --discard-demo deletes that first."
                    if is_demo
                    else "Restore one tenant with --tenant, or prepare an empty database and bucket."
                )
            )
        for tenant in database.list_tenants(line):
            line.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(tenant.schema)))


def _tells(line: "psycopg.Connection[Any]", question: LiteralString) -> bool:
    row = line.execute(question).fetchone()
    return bool(row and row[0])


def _load_tenants(target: Target, taken: Manifest, report: Report) -> None:
    done = 0
    with tempfile.TemporaryDirectory(dir=target.work) as work, ExitStack() as lines:
        # Each thread has a connection of its own, taken from here.
        free = [lines.enter_context(database.connect()) for _ in range(LOADS_AT_ONCE)]
        pool = lines.enter_context(ThreadPoolExecutor(LOADS_AT_ONCE, thread_name_prefix="restore-load"))
        for number, dump in enumerate(taken.dumps):
            tenants = [tenant for tenant in taken.tenants if tenant.dump == number]
            with database.fetched(target, dump, work=Path(work)) as path:

                def load(tenant: KeptTenant, path: Path = path) -> None:
                    own = free.pop()
                    try:
                        # Left of a restore that was interrupted: nobody is known here who could have a schema.
                        own.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(tenant.schema)))
                        arriving.load_schema(own, tenant, path)
                    finally:
                        free.append(own)

                for _ in pool.map(load, tenants):
                    done += 1
                    report("tenants", done, len(taken.tenants))


def _load_public(line: "psycopg.Connection[Any]", target: Target, taken: Manifest) -> None:
    """Put the public schema of the backup into the place of the empty one."""
    with (
        tempfile.TemporaryDirectory(dir=target.work) as work,
        database.fetched(target, taken.public, work=Path(work)) as path,
    ):
        for schema in ("public", "t_template"):  # the template is made anew by the next migration
            line.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        arriving.load(path)
        line.execute(sql.SQL(_RIGHTS))


def _prove(taken: Manifest, report: Report) -> Iterator[Proof]:
    kept = {tenant.id: tenant for tenant in taken.tenants}
    active = {tenant.id for tenant in identity.list_active_tenants()}
    for number, tenant in enumerate(identity.list_tenants()):
        arriving.settle(tenant, kept[tenant.id], taken.id)
        if tenant.id in active:
            yield arriving.prove(tenant, kept[tenant.id])
        report("proof", number + 1, len(kept))
