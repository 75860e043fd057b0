"""Restoring one tenant into a running installation, under its own id.

Its schema is put aside, loaded anew, compared, and what was put aside goes in the transaction that swaps the tenant's rows of the public
schema: until then everything can be taken back, also by the next run after a kill. Who belongs to the tenant and by what they sign in stays
as it is now, so nobody who was let out comes in again; only a tenant that is not here any more gets its people from the backup.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from psycopg import sql

from apps.identity import api as identity
from bitvault.backup import arriving, checking, database, swapping
from bitvault.backup.arriving import Brought, Proof, Report
from bitvault.backup.errors import BackupError
from bitvault.backup.holding import held
from bitvault.backup.manifest import KeptTenant, Manifest
from bitvault.backup.targets import Target
from bitvault.kernel import tenancy
from bitvault.kernel.deadlines import background

SUSPENDED_SECONDS = 2.0
"""Until every process knows that nobody is let in; requests that had begun are over by then, or fail."""

_STATE = "SELECT state FROM public.identity_tenant WHERE id = %s"
_NOTE = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"
_NEW = "new"
"""What is noted of a tenant that was not here before."""

_SAME_SLUG = "SELECT id FROM public.identity_tenant WHERE slug = %s AND id <> %s"


def restore(
    target: Target, taken: Manifest, *, slug: str, replaces: bool, report: Report = lambda *_: None
) -> tuple[Brought, Proof]:
    """Bring one tenant back to where it was when a backup was taken.

    :param replaces: whether it may take the place of what the tenant has now.
    :raises Busy: a backup or a restore is under way.
    :raises BackupError: the backup has no such tenant, or it is here and is not to be replaced.
    """
    kept = _find(taken, slug)
    with background(), database.alone() as line:
        state = _require_place(line, kept, taken, replaces=replaces)
        checking.require_files(target, taken, [kept])
        with held(f"restore of {slug} from {target.name}"), tempfile.TemporaryDirectory(dir=target.work) as work:
            brought = arriving.bring_objects(target, taken, [kept], report)
            identity.prepare_restore(tenant_ids=[kept.id])
            with (
                database.fetched(target, taken.dumps[kept.dump], work=Path(work)) as dump,
                _put_aside(line, kept, state),
            ):
                report("tenants", 0, 1)
                arriving.load_schema(line, kept, dump)
                with database.fetched(target, taken.public, work=Path(work)) as public:
                    swapping.swap(line, kept, public, is_new=state is None, note=state or _NEW)
        call_command("migrate_tenants", verbosity=0)
        tenant = tenancy.Tenant(id=kept.id, slug=kept.slug, name=kept.name)
        arriving.settle(tenant, kept, taken.id)
        if state == "active":
            identity.activate_tenant(tenant_id=kept.id)
        report("tenants", 1, 1)
        proof = arriving.prove(tenant, kept)
        line.execute(sql.SQL("COMMENT ON SCHEMA {} IS NULL").format(sql.Identifier(kept.schema)))
        return brought, proof


def _find(taken: Manifest, slug: str) -> KeptTenant:
    for tenant in taken.tenants:
        if tenant.slug == slug:
            return tenant
    raise BackupError(f"{taken.id} has no tenant {slug}; it has {', '.join(each.slug for each in taken.tenants)}.")


def _require_place(line: "psycopg.Connection[Any]", kept: KeptTenant, taken: Manifest, *, replaces: bool) -> str | None:
    """Take back what an interrupted restore has put aside; tell the tenant's state before, ``None`` of one that is not here.

    One that was interrupted before that, or when what lay aside had gone, has left a note of the state.

    :raises BackupError: it is here and is not to be replaced, or another tenant has its name.
    """
    _take_back(line, kept)
    row = line.execute(_STATE, [kept.id]).fetchone()
    if row is not None and not replaces:
        raise BackupError(
            f"{kept.slug} is here. With --replace it goes back to {taken.taken_at:%Y-%m-%d %H:%M:%S} UTC, "
            "and what was done since then is lost."
        )
    if row is None and line.execute(_SAME_SLUG, [kept.slug, kept.id]).fetchone() is not None:
        raise BackupError(f"Another tenant is called {kept.slug} now; give it another name first.")
    if row is None:
        return None
    note = line.execute(_NOTE, [kept.schema]).fetchone()
    return str(note[0] if note is not None and note[0] not in (None, _NEW) else row[0])


def _aside(kept: KeptTenant) -> str:
    return f"aside_{kept.id.hex}"


@contextmanager
def _put_aside(line: "psycopg.Connection[Any]", kept: KeptTenant, state: str | None) -> Iterator[None]:
    """Suspend the tenant and rename its schema inside the block; when that fails, all is as it was before."""
    schema, aside = sql.Identifier(kept.schema), sql.Identifier(_aside(kept))
    if state is not None:
        line.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(schema, state))
    if state == "active":
        identity.suspend_tenant(tenant_id=kept.id)
        time.sleep(SUSPENDED_SECONDS)
    if state is None:
        line.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
        line.execute(sql.SQL("CREATE SCHEMA {}").format(aside))
    else:
        line.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(schema, aside))  # its note goes with it
    try:
        yield
    except BaseException:
        _take_back(line, kept)
        raise


def _take_back(line: "psycopg.Connection[Any]", kept: KeptTenant) -> None:
    """Put the schema that lies aside into its place again, where a restore has come to no end, and let people in who were in before."""
    row = line.execute(_NOTE, [_aside(kept)]).fetchone()
    if row is None:
        return
    schema, aside = sql.Identifier(kept.schema), sql.Identifier(_aside(kept))
    with line.transaction():
        line.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
        if row[0] is None:  # nothing was here before
            line.execute(sql.SQL("DROP SCHEMA {}").format(aside))
        else:
            line.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(aside, schema))
    if row[0] == "active":
        identity.activate_tenant(tenant_id=kept.id)
    if row[0] is not None:
        line.execute(sql.SQL("COMMENT ON SCHEMA {} IS NULL").format(schema))
