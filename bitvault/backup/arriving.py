"""What the two ways of restoring have in common: a schema, its objects, what follows, and the proof that it is as it was."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import structlog
from psycopg import sql

from apps.admin_platform import api as admin_platform
from apps.billing import api as billing
from apps.files import api as files
from apps.storage import api as storage
from apps.sync import api as sync
from bitvault.backup import database, hashing, manifest
from bitvault.backup.errors import BackupError, Damaged
from bitvault.backup.manifest import KeptObject, KeptTenant, Manifest
from bitvault.backup.targets import Target
from bitvault.events import operating
from bitvault.kernel import tenancy
from bitvault.kernel.deadlines import background

WRITES_AT_ONCE = 4
BATCH = 200
"""Objects that are looked for in the store at once."""

Report = Callable[[str, int, int], None]

logger = structlog.get_logger(__name__)


class Brought(NamedTuple):
    """What was brought into the store."""

    written_count: int
    written_bytes: int
    lost_count: int
    """Objects that were lost already when the backup was taken."""


class Proof(NamedTuple):
    """What a restored tenant was found to be."""

    slug: str
    seq: int
    rows: int
    audit_entries: int
    wrong: list[str]
    """A sentence for each thing that is not as it was."""


def load_schema(line: "psycopg.Connection[Any]", tenant: KeptTenant, dump: Path) -> None:
    """Make the schema of a tenant, whose role is there, from a dump, and compare its rows with what they were.

    :raises BackupError: ``pg_restore`` has failed, or rows differ.
    """
    name = sql.Identifier(tenant.schema)
    line.execute(sql.SQL("CREATE SCHEMA {}").format(name))
    line.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, name))
    load(dump, f"--schema={tenant.schema}")
    found = database.count_rows(line, tenant.schema)
    differing = sorted(table for table in {*found, *tenant.tables} if found.get(table) != tenant.tables.get(table))
    if differing:
        raise BackupError(f"{tenant.slug}: the rows of {', '.join(differing)} are not as they were.")


def load(dump: Path, *wanted: str) -> None:
    """Run ``pg_restore``: all of it or nothing."""
    database.run(
        "pg_restore",
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        f"--role={database.OWNER_ROLE}",
        *wanted,
        str(dump),
    )


def bring_objects(target: Target, taken: Manifest, tenants: Sequence[KeptTenant], report: Report) -> Brought:
    """Write back the objects that the store has not; each part is compared before it is sent, and by the store.

    :raises BackupError: the backup lacks an object that it should have.
    """
    count = size_bytes = lost_count = seen = 0
    total = sum(tenant.object_count for tenant in tenants)
    lost = {loss.key for loss in taken.losses}

    def write(kept: KeptObject) -> bool:
        with background():
            try:
                bodies = hashing.parts_of(kept, target.read(kept.name))
                storage.write_stored(key=kept.key, part_hashes=kept.part_hashes, bodies=bodies)
            except (FileNotFoundError, Damaged) as error:
                if kept.key in lost:
                    return False
                raise BackupError(f"{kept.name} in {target.name}: {error}") from error
        return True

    with ThreadPoolExecutor(WRITES_AT_ONCE, thread_name_prefix="restore") as pool:
        for tenant in tenants:
            objects = manifest.read_inventory(target, tenant.inventory)
            while batch := list(islice(objects, BATCH)):
                sizes = storage.find_stored_sizes(keys=[each.key for each in batch])
                missing = [each for each in batch if sizes.get(each.key) != each.size_bytes]
                for kept, is_there in zip(missing, pool.map(write, missing), strict=True):
                    count += is_there
                    size_bytes += kept.size_bytes if is_there else 0
                    lost_count += not is_there
                seen += len(batch)
                report("objects", seen, total)
    storage.flush_stored()
    return Brought(count, size_bytes, lost_count)


def settle(tenant: tenancy.Tenant, kept: KeptTenant, backup_id: str) -> None:
    """Do what follows in a tenant that is back: devices meet a new epoch, and nobody waits for bytes that backups leave out."""
    with tenancy.entered(tenant):
        operating.tell_restored(backup_id=backup_id, seq=kept.seq)
        storage.drop_what_backups_leave_out()
        sync.begin_epoch()


def prove(tenant: tenancy.Tenant, kept: KeptTenant) -> Proof:
    """Let the stream be read to its end, then recompute what can be: the chain of the audit log, and what the files use."""
    wrong = []
    with tenancy.entered(tenant):
        if not operating.catch_up():
            wrong.append("some consumer has not read its stream to the end; see the stream's page")
        chain = admin_platform.recheck_audit()
        if not chain.intact:
            wrong.append(f"the audit log is broken at {chain.broken_at}: {chain.reason}")
        stored = files.count_stored_bytes()
        recount = billing.correct_usage(
            size_bytes=stored.size_bytes, unrefunded_bytes=stored.unrefunded_bytes, as_of_seq=stored.as_of_seq
        )
        if recount.corrected_by_bytes:
            wrong.append(f"the quota counted other bytes than the files have: {recount.corrected_by_bytes}")
    return Proof(
        slug=kept.slug,
        seq=kept.seq,
        rows=sum(table.rows for table in kept.tables.values()),
        audit_entries=chain.entry_count,
        wrong=[f"{kept.slug}: {sentence}" for sentence in wrong],
    )
