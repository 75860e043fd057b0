"""The BitVault that is measured: ``make up``'s own processes in a directory of their own, durable as in production."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from benchmarks import processes
from benchmarks.http11 import Connection, UnexpectedAnswer
from bitvault.stack.applications import SETTINGS_MODULE, surroundings
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.ports import LOOPBACK, free_ports
from bitvault.stack.process import Child, Program
from bitvault.stack.servers import Servers

START_SECONDS = 180
POLL_SECONDS = 0.02
LOG_TAIL_LINES = 25


class VaultProblem(Exception):
    """The BitVault that was to be measured did not start, or ended."""


@dataclass(slots=True)
class Meter:
    """CPU seconds that a block took, kind of process by kind, and of the client."""

    seconds: float = 0.0
    server: dict[str, float] = field(default_factory=dict)
    client: float = 0.0


class Vault:
    """A running BitVault and everything that a measurement may want to know of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # One token at full speed is what most rows measure; `stalls` measures the limits, and takes this away.
        self.variables = {"BITVAULT_LIMITS": "off"}
        self.port = free_ports(("web",))["web"]
        self.layout = Layout(directory)
        self._log = directory.with_name(f"{directory.name}.log")
        self._child: Child | None = None
        self._inside: list[Child] = []

    # --- life ---------------------------------------------------------------------------------------------------------------

    def start(self) -> float:
        """Run ``python -m bitvault.stack up`` and wait until the web answers; returns the seconds that took."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        with self._log.open("ab") as log:
            self._child = Child(
                Program(
                    name="bitvault",
                    command=(sys.executable, "-m", "bitvault.stack", "up", "--dir", str(self.directory)),
                    directory=ROOT,
                    environment={**_plain_surroundings(), "BITVAULT_PORT": str(self.port), **self.variables},
                    grace_seconds=60.0,
                ),
                stack_directory=self.directory,
                output=log.fileno(),
            )
        while not self._serves():
            if self._child.exit_code() is not None or time.monotonic() - begun > START_SECONDS:
                raise VaultProblem(f"BitVault did not start:\n{self._tail()}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - begun

    def stop(self) -> float:
        """End every process; returns the seconds that took."""
        begun = time.monotonic()
        for child in self._inside:
            child.ask_to_stop()
            child.wait_or_kill()
        if self._child is not None:
            self._child.ask_to_stop()
            self._child.wait_or_kill()
            self._child = None
        return time.monotonic() - begun

    def restart(self, *, variables: Mapping[str, str]) -> None:
        """Stop and start again with other variables, its data kept."""
        self.stop()
        self.variables = dict(variables)
        self.start()

    def _serves(self) -> bool:
        # The mark of a whole first start, and a page of the web's: /healthz through the front is answered by the sockets' process.
        if not self.layout.marker.exists():
            return False
        connection = self.connect(token=None)
        try:
            return connection.get("/docs/", expect=(200,)).status == 200
        except (OSError, UnexpectedAnswer):
            return False
        finally:
            connection.close()

    def _tail(self) -> str:
        with suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        return "(no log)"

    # --- ways in ------------------------------------------------------------------------------------------------------------

    @property
    def demo(self) -> dict[str, Any]:
        """What ``var/demo.json`` says: tenant, e-mail, password, token."""
        return dict(json.loads(self.layout.demo.read_text(encoding="utf-8")))

    @property
    def token(self) -> str:
        return str(self.demo["token"])

    def connect(self, *, token: str | None = "", port: int | None = None, host_header: str | None = None) -> Connection:
        """Open a connection to the web server with the demo owner's token, another one, or none."""
        chosen = self.token if token == "" else token
        headers = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        return Connection(LOOPBACK, port or self.port, host_header=host_header, headers=headers)

    @property
    def servers(self) -> Servers:
        """Describe the servers as the supervisor does, for their addresses and secrets."""
        store = self.layout.read_store()
        if store is None:
            raise VaultProblem(f"{self.directory} has no object store yet")
        ports = {**self.layout.read_ports(), "web": self.port}
        return Servers(directory=self.directory, ports=ports, secrets=self.layout.ensure_secrets(), store=store)

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables that BitVault's own processes run with."""
        return {**_plain_surroundings(), **self.servers.environment(), "DJANGO_SETTINGS_MODULE": SETTINGS_MODULE}

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """Connect as the superuser, to prepare rows and to ask the server about itself."""
        with psycopg.connect(self.servers.postgresql.admin_url, autocommit=True) as connection:
            yield connection

    def run_inside(self, *arguments: str, variables: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Run ``python -m benchmarks.inside`` with BitVault's environment and read the JSON that it prints.

        :param variables: what is to be otherwise in that environment.
        """
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.inside", *arguments],
            cwd=ROOT,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise VaultProblem(f"benchmarks.inside {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def launch(self, name: str, *command: str) -> Child:
        """Start another process of BitVault's beside the supervisor's; it ends with the vault."""
        with (self.directory / "log" / f"{name}.log").open("ab") as log:
            child = Child(
                Program(name=name, command=command, directory=ROOT, environment=self.environment),
                stack_directory=self.directory,
                output=log.fileno(),
            )
        self._inside.append(child)
        return child

    def end(self, child: Child) -> None:
        """End a process that :meth:`launch` started."""
        child.ask_to_stop()
        child.wait_or_kill(grace_seconds=5.0)
        self._inside.remove(child)

    # --- figures of the operating system ---------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        if self._child is None:
            raise VaultProblem("BitVault is not running")
        return self._child.pid

    @contextmanager
    def metered(self) -> Iterator[Meter]:
        """Meter the CPU time of every process during the block."""
        meter = Meter()
        before, client, begun = processes.cpu_by_kind(self.pid), time.process_time(), time.monotonic()
        yield meter
        meter.seconds = time.monotonic() - begun
        meter.client = time.process_time() - client
        after = processes.cpu_by_kind(self.pid)
        meter.server = {kind: seconds - before.get(kind, 0.0) for kind, seconds in after.items()}

    def web_bytes(self) -> int:
        """Count the bytes on the web processes' open connections, to clients, database, Valkey and store alike."""
        return processes.tcp_bytes(processes.by_kind(self.pid).get("web", []))

    def count_statements(self, act: Callable[[], object], *, times: int = 9) -> tuple[int, int]:
        """Count the statements that PostgreSQL gets for one ``act``: all, and those without BEGIN and COMMIT.

        The server itself logs them (``log_statement``), so the figure is of the real processes. The median of several
        acts leaves out what others did meanwhile.
        """
        log = self.servers.log_of("postgresql")
        with self.database() as database:
            _set_for_all(database, "log_statement", "all")
            try:
                time.sleep(0.5)
                act()
                counts = []
                for _ in range(times):
                    time.sleep(0.05)
                    start = log.stat().st_size
                    act()
                    time.sleep(0.05)
                    with log.open("rb") as lines:
                        lines.seek(start)
                        counts.append(_statements(lines.read().decode(errors="replace")))
            finally:
                _set_for_all(database, "log_statement", None)
        return sorted(counts)[times // 2]

    def delete(self) -> None:
        """Delete everything that the vault kept."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self._log.unlink(missing_ok=True)


def _plain_surroundings() -> Mapping[str, str]:
    """Give the surroundings without any BITVAULT_* of the shell: figures are of the defaults."""
    return {name: value for name, value in surroundings().items() if not name.startswith("BITVAULT_")} | {
        "BITVAULT_LOG_FORMAT": "console"
    }


def _set_for_all(database: psycopg.Connection, name: str, value: str | None) -> None:
    database.execute(f"ALTER SYSTEM SET {name} = '{value}'" if value else f"ALTER SYSTEM RESET {name}")
    database.execute("SELECT pg_reload_conf()")


def _statements(log: str) -> tuple[int, int]:
    every = [
        line.partition("LOG:  ")[2]
        for line in log.splitlines()
        if "LOG:  statement:" in line or "LOG:  execute " in line
    ]
    bare = [text for text in every if not text.endswith(("BEGIN", "COMMIT"))]
    return len(every), len(bare)


@contextmanager
def running(parent: Path | None) -> Iterator[Vault]:
    """Run a BitVault in a fresh directory and delete it in the end. A signal ends it as an error does."""
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="bitvault-bench-", dir=parent))
    place.chmod(0o755 if os.geteuid() == 0 else 0o700)
    vault = Vault(place / "var")
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        yield vault
    finally:
        vault.stop()
        shutil.rmtree(place, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)
