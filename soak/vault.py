"""The BitVault that is tormented: ``make up``'s own processes and servers, durable, in a directory of their own."""

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psycopg
from redis import Redis

from bitvault.stack.applications import Applications, answers, surroundings
from bitvault.stack.caddy import DOWNLOAD_PORT
from bitvault.stack.console import Console
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.ports import free_ports
from bitvault.stack.process import Child
from bitvault.stack.servers import WEB_PORTS, Addresses, Servers, server_ports
from bitvault.stack.store_choice import ensure_store
from bitvault.stack.supervisor import Supervisor
from bitvault.stack.up import Stack, read_demo
from soak.clients import PatientClient
from soak.tally import Tally

WATCH_SECONDS = 0.05
RECOVERY_SECONDS = 60.0
"""How long anything may take to be as before after a kill (reliability: a sweep's interval)."""

STOPPED_SECONDS = 1.5
REBUILT = ("sync", "billing", "gc")
KILLED = (
    "web",
    "worker",
    "relay",
    "patient",
    "jobs",
    "bulk",
    "beat",
    "sockets",
    "valkey",
    "postgresql",
    "store",
)
PARTS = {"web process": "web", "worker process": "worker", "database session": "postgresql"}
"""One process below another, which is to go on."""


class Vault:
    """Starts everything, strikes at it, and keeps it alive as a supervisor would."""

    def __init__(self, directory: Path, tally: Tally, chance: random.Random) -> None:
        self._tally = tally
        self._chance = chance
        layout = Layout(directory)
        layout.open()
        console = Console(io.StringIO(), directory=layout.log)
        store = ensure_store(layout, print)
        ports = free_ports((*server_ports(store), *WEB_PORTS, DOWNLOAD_PORT))
        servers = Servers(directory=directory, ports=ports, secrets=layout.ensure_secrets(), store=store)
        applications = Applications(layout=layout, console=console, ports=ports, variables=servers.environment())
        self.stack = Stack(
            layout=layout,
            console=console,
            addresses=Addresses.of(ports),
            servers=servers,
            applications=applications,
            supervisor=Supervisor([applications.group, servers.group], console=console),
        )
        self.ports = ports
        self._groups = (applications.group, servers.group)
        self._probe: PatientClient | None = None
        self._probe_folder = ""

    def __enter__(self) -> Self:
        try:
            self.stack.start()
        except BaseException:
            self.__exit__()
            raise
        self._probe = self.client(self._chance, self.rest)
        # The root: nobody can move it, or throw it away.
        self._probe_folder = self._probe.get("/me").json()["root_id"]
        return self

    def __exit__(self, *_: object) -> None:
        for group in self._groups:
            for child in group.children:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGCONT)
            group.stop()
        self.stack.servers.store.clean_up()

    def client(self, chance: random.Random, pause: Callable[[float], None] = time.sleep) -> PatientClient:
        """Speak REST as the demo tenant's owner."""
        demo = read_demo(self.stack.layout.demo)
        return PatientClient(self.stack.addresses.plain_url, demo["token"], self._tally, chance, pause)

    def database(self) -> psycopg.Connection[Any]:
        """Connect as the superuser."""
        return psycopg.connect(self.stack.servers.postgresql.admin_url, autocommit=True, connect_timeout=5)

    # --- life ------------------------------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Start again what has ended."""
        for group in self._groups:
            for child in list(group.children):
                if child.exit_code() is not None:
                    group.relaunch(child)

    def rest(self, seconds: float) -> None:
        """Let time pass, looking after everything."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.look_after()
            time.sleep(WATCH_SECONDS)

    def await_that(self, condition: Callable[[], bool], what: str) -> bool:
        """Wait until something holds; a violation when it does not in time."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            self.look_after()
            try:
                if condition():
                    return True
            except psycopg.Error:
                pass
            if time.monotonic() > deadline:
                self._tally.violate(f"{what} within {RECOVERY_SECONDS:.0f} s: not so")
                return False
            time.sleep(WATCH_SECONDS)

    def recover(self, after: str) -> None:
        """Wait until a commit from now on has reached every consumer; notes how long that took."""
        begun = time.monotonic()
        assert self._probe is not None
        if not self.await_that(lambda: answers(self.ports["web"]), f"the web answers after {after}"):
            return
        name = f"Probe {self._tally.kills.total()}.{self._tally.faults.total()} {time.monotonic_ns()}"
        answer = self._probe.post("/folders", {"parent_id": self._probe_folder, "name": name})
        if answer.status_code != 201:
            self._tally.violate(f"a commit after {after} was refused: {answer.status_code} {answer.text[:200]}")
            return
        seq = int(answer.headers["BitVault-Seq"])
        if self.await_that(lambda: self._least_position() >= seq, f"consumers catch up after {after}"):
            self._tally.recoveries.append((time.monotonic() - begun, after))

    def _least_position(self) -> int:
        with self.database() as database:
            row = database.execute("SELECT min(seq) FROM events_consumer_cursor").fetchone()
        return int(row[0]) if row else 0

    # --- strikes ---------------------------------------------------------------------------------------------------------------

    def strike(self, target: str) -> None:
        """Do one of the things that ``targets`` lists, and wait until all is as before."""
        if target in KILLED:
            self._child(target).kill()
            self._tally.count(self._tally.kills, target)
        elif target in PARTS:
            below = _children(self._child(PARTS[target]).pid)
            if below:
                with suppress(ProcessLookupError):
                    os.kill(self._chance.choice(below), signal.SIGKILL)
            self._tally.count(self._tally.kills, target)
        elif target == "broker emptied":
            with Redis.from_url(f"{self.stack.servers.valkey.url}/0") as broker:
                broker.flushall()
            self._tally.count(self._tally.faults, target)
        else:
            stopped = self._child("worker").pid
            os.killpg(stopped, signal.SIGSTOP)
            self.rest(STOPPED_SECONDS)
            os.killpg(stopped, signal.SIGCONT)
            self._tally.count(self._tally.faults, target)
        self.recover(target)

    def rebuild(self) -> None:
        """Have a derivation made anew while it is used; the first try is cut off."""
        consumer = self._chance.choice(REBUILT)
        cut_off = self.command("rebuild", consumer)
        self.rest(self._chance.uniform(0.5, 3.0))
        cut_off.kill()
        cut_off.wait()
        whole = self.command("rebuild", consumer)
        while whole.poll() is None:
            self.rest(WATCH_SECONDS)
        if whole.returncode != 0:
            self._tally.violate(
                f"the rebuild of {consumer} failed: {(self.stack.layout.log / 'rebuild.log').read_text()[-500:]}"
            )
        self._tally.count(self._tally.faults, f"rebuild of {consumer}")
        self.recover(f"a rebuild of {consumer}")

    def command(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Begin one of ``manage.py``'s commands; what it says goes to a log of its name."""
        environment = {**surroundings(), **self.stack.servers.environment(), **variables}
        with (self.stack.layout.log / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    @staticmethod
    def targets() -> list[str]:
        """List what can be struck at: every process, parts of some, and what is no process."""
        return [*KILLED, *PARTS, "broker emptied", "worker stopped"]

    def _child(self, name: str) -> Child:
        name = self.stack.servers.store.kind if name == "store" else name
        for group in self._groups:
            for child in group.children:
                if child.program.name == name:
                    return child
        raise LookupError(name)


def _children(pid: int) -> list[int]:
    """List the processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found
