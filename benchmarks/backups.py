"""A backup into a directory on the same disk, and its restore into another database and bucket."""

from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.large_files import MIB, Lanes, LargeFile, LargeUploader

DATABASE = "bench_restored"
BUCKET = "bench-restored"
FILES = 4
PARTS, PARTS_QUICK = 16, 4
"""Of 8 MiB, in each file."""


def taking_and_restoring(bench: Bench) -> list[Figure]:
    """Rows and bytes a second, each way; a large tree of rows and some large files."""
    vault = bench.vault
    leaves = 100 if bench.quick else 1000
    bench.seed.forest(bench.seed.folder("to back up"), branches=100, leaves=leaves)
    lanes = Lanes(bench)
    for number in range(FILES):
        file = LargeFile(PARTS_QUICK if bench.quick else PARTS)
        file.renew(1000 + number)
        LargeUploader(bench, file, lanes).bring(f"to back up {number}.bin")
    with TemporaryDirectory(dir=vault.directory) as directory:
        taken = vault.run_inside("backup", directory)
        with vault.database() as admin:
            _make_empty(admin, vault.servers.postgresql.admin_url)
        url = urlunsplit(urlsplit(vault.environment["BITVAULT_DATABASE_URL"])._replace(path=f"/{DATABASE}"))
        elsewhere = {
            "BITVAULT_DATABASE_URL": url,
            "BITVAULT_S3_BUCKET": BUCKET,
            "BITVAULT_S3_FLUSH_DIRECTORY": "",
        }
        bench.machine.store.client.create_bucket(Bucket=BUCKET)
        restored = vault.run_inside("restore", directory, variables=elsewhere)
        with vault.database() as admin:
            admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    mib = taken["bytes"] / MIB
    facts = {**taken, **{f"restore_{name}": value for name, value in restored.items()}}
    return [
        Figure("backup: rows", taken["rows"] / taken["database_seconds"], "rows/s", facts=facts),
        Figure("  objects", mib / taken["objects_seconds"], "MiB/s"),
        Figure("  again, with nothing new", taken["again_seconds"], "s"),
        Figure("restore: rows, compared", taken["rows"] / restored["database_seconds"], "rows/s"),
        Figure("  objects", mib / restored["objects_seconds"], "MiB/s"),
        Figure("  all of it, proof included", restored["seconds"], "s"),
    ]


def _make_empty(admin: "psycopg.Connection", url: str) -> None:
    """Make a database as ``deploy/postgresql/prepare.sql`` does."""
    admin.execute(f"CREATE DATABASE {DATABASE} OWNER bitvault_owner ENCODING 'UTF8' TEMPLATE template0")
    admin.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO bitvault")
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}")), autocommit=True) as made:
        made.execute("ALTER SCHEMA public OWNER TO bitvault_owner")
