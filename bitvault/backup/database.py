"""The database side: one snapshot that everything is read from, PostgreSQL's own dumps, and what is counted in it.

It works as the owner of all schemas, on connections of its own, and knows no module's tables but the few that say which tenants there
are, how far their streams have come, and which objects have to be there.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bitvault.backup.errors import BackupError, Busy
from bitvault.backup.manifest import KeptFile, TableFacts
from bitvault.backup.targets import Target
from bitvault.kernel.postgres.programs import run_program

OWNER_ROLE = "bitvault_owner"
LOCK = 0x0B17_BACC
LOCK_WAIT_MS = 60_000
"""How long a dump waits for a migration that has locked a table."""

ALONE_WAIT_SECONDS, ALONE_PAUSE_SECONDS = 3.0, 0.05
"""How long one waits for another to end: PostgreSQL takes a moment to notice that a process has died, and gives up its lock then."""

PIECE_BYTES = 8 * 1024**2

_OPTIONS = {
    "role": OWNER_ROLE,
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": f"{LOCK_WAIT_MS}",
    # The text of a row, which its hash is made of, depends on these.
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}

_TENANTS = """
SELECT tenant.id, tenant.slug, tenant.name, tenant.schema_version, coalesce(head.last_seq, 0)
FROM public.identity_tenant tenant LEFT JOIN public.events_stream_head head ON head.tenant_id = tenant.id
WHERE tenant.state <> 'removing'
ORDER BY tenant.id
"""

_TABLES = """
SELECT class.relname FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE space.nspname = %s AND class.relkind IN ('r', 'p') AND NOT class.relispartition ORDER BY class.relname
"""

_TABLE = (
    "SELECT {}, count(*), coalesce(sum(('x' || substr(md5(row::text), 1, 15))::bit(60)::bigint), 0)::text FROM {} row"
)

# A condemned blob belongs to no version, and its object may go once deletions are held back no longer.
_INVENTORY = """
SELECT key, size_bytes, part_size_bytes, encode(part_hashes, 'hex'), coalesce(store_id::text, '') FROM {}.storage_blob
WHERE state IN ('pending', 'live') ORDER BY key
"""

_INVENTORY_SIZE = (
    "SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM {}.storage_blob WHERE state IN ('pending', 'live')"
)


class TenantRow(NamedTuple):
    """A tenant as the snapshot has it."""

    id: UUID
    slug: str
    name: str
    schema_version: str
    seq: int

    @property
    def schema(self) -> str:
        """Its schema."""
        return f"t_{self.id.hex}"


class Snapshot(NamedTuple):
    """An instant of the database, which any number of connections can look at."""

    line: "psycopg.Connection[Any]"
    name: str
    taken_at: datetime
    server_version: str


def connect() -> "psycopg.Connection[Any]":
    """Connect as the owner of all schemas, past every pooler."""
    options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
    return psycopg.connect(**_address(), options=options, autocommit=True, connect_timeout=10)


def _address() -> dict[str, Any]:
    given: dict[str, Any] = settings.BITVAULT_DATABASE_OWNER
    return {
        "host": given["HOST"],
        "port": given["PORT"] or 5432,
        "user": given["USER"],
        "password": given["PASSWORD"],
        "dbname": connection.settings_dict["NAME"],  # tests run in a database of another name
        **given.get("OPTIONS", {}),
    }


@contextmanager
def alone() -> Iterator["psycopg.Connection[Any]"]:
    """Be the only backup or restore of this database inside the block; the lock goes with a process that dies.

    :raises Busy: another one is at it.
    """
    with connect() as line:
        deadline = time.monotonic() + ALONE_WAIT_SECONDS
        while line.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise Busy("Another backup or restore of this database is under way.")
            time.sleep(ALONE_PAUSE_SECONDS)
        yield line


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Hold an instant of the database inside the block."""
    with connect() as line:
        line.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = line.execute(
            "SELECT pg_export_snapshot(), clock_timestamp(), current_setting('server_version')"
        ).fetchone()
        if row is None:
            raise BackupError("The database gives no snapshot.")
        yield Snapshot(line, *row)
        line.execute("COMMIT")


def list_tenants(line: "psycopg.Connection[Any]") -> list[TenantRow]:
    """List all tenants, suspended ones too, with the number of their streams."""
    return [TenantRow(*row) for row in line.execute(_TENANTS).fetchall()]


def count_rows(line: "psycopg.Connection[Any]", schema: str) -> dict[str, TableFacts]:
    """Count and hash the rows of all tables of a schema: equal facts, equal rows."""
    tables = [name for (name,) in line.execute(_TABLES, [schema]).fetchall()]
    if not tables:
        return {}
    each = [sql.SQL(_TABLE).format(table, sql.Identifier(schema, table)) for table in tables]
    rows = line.execute(sql.SQL(" UNION ALL ").join(sql.SQL("({})").format(one) for one in each)).fetchall()
    return {table: TableFacts(rows=count, digest=digest) for table, count, digest in sorted(rows)}


def measure_inventory(line: "psycopg.Connection[Any]", schema: str) -> tuple[int, int]:
    """Count the objects that a tenant needs, and their bytes."""
    row = line.execute(sql.SQL(_INVENTORY_SIZE).format(sql.Identifier(schema))).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def read_inventory(line: "psycopg.Connection[Any]", schema: str) -> Iterator[bytes]:
    """Read the objects that a tenant needs as the lines of an inventory, in the order of their keys."""
    reading = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(_INVENTORY).format(sql.Identifier(schema)))
    with line.cursor() as cursor, cursor.copy(reading) as copy:
        for block in copy:
            yield bytes(block)


def dump(seen: Snapshot, schemas: Sequence[str], *, target: Target, name: str, work: Path) -> KeptFile:
    """Dump schemas as the snapshot shows them, by ``pg_dump`` in its custom format, into a target.

    :raises BackupError: ``pg_dump`` has failed; the sentence has its own words.
    """
    with tempfile.NamedTemporaryFile(dir=work, suffix=".dump") as file:
        run(
            "pg_dump",
            "--format=custom",
            "--compress=1",
            "--no-owner",
            f"--snapshot={seen.name}",
            f"--role={OWNER_ROLE}",
            f"--lock-wait-timeout={LOCK_WAIT_MS}",
            f"--file={file.name}",
            *(f"--schema={schema}" for schema in schemas),
        )
        return keep_file(target, name, Path(file.name))


def keep_file(target: Target, name: str, path: Path) -> KeptFile:
    """Bring a file into a target and say what it was."""
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                yield piece

    size_bytes = path.stat().st_size
    target.write(name, pieces(), size_bytes=size_bytes)
    return KeptFile(name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


@contextmanager
def fetched(target: Target, file: KeptFile, *, work: Path) -> Iterator[Path]:
    """Have a file of a backup on this machine inside the block, compared with its hash.

    :raises BackupError: it is not as it was written.
    """
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=work, suffix=".dump") as copy:
        for piece in target.read(file.name):
            digest.update(piece)
            copy.write(piece)
        copy.flush()
        if digest.hexdigest() != file.sha256:
            raise BackupError(f"{file.name} is not as it was written; take another backup.")
        yield Path(copy.name)


def run(program: str, *arguments: str) -> None:
    """Run ``pg_dump`` or ``pg_restore`` on the configured database.

    :raises BackupError: it has failed.
    """
    done = run_program(program, f"--dbname={_place()}", "--no-password", *arguments, environment=_surroundings())
    if done.returncode != 0:
        raise BackupError(f"{program} has failed: {done.stderr.strip()[-2000:]}")


def _place() -> str:
    """Say where the database is, as PostgreSQL's programs read it; the password goes another way, since anybody sees their arguments."""
    return make_conninfo(**{name: value for name, value in _address().items() if name != "password"})


def _surroundings() -> dict[str, str]:
    options = " ".join(f"-c {name}=0" for name in ("statement_timeout", "idle_in_transaction_session_timeout"))
    return {**os.environ, "PGPASSWORD": str(_address()["password"]), "PGOPTIONS": options}
