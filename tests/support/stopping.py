"""Servers that stand still: stopped as SIGSTOP stops them, so that their kernel goes on taking connections and bytes, and nothing answers."""

import io
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bitvault.kernel import valkey
from bitvault.stack.console import Console
from bitvault.stack.ports import free_ports
from bitvault.stack.postgresql import ADMIN_ROLE, PostgreSQL
from bitvault.stack.process import ChildGroup, Program
from bitvault.stack.valkey import Valkey
from bitvault.web import valkey as web_valkey

READY_SECONDS = 60.0


def family(pid: int) -> list[int]:
    """List a process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Stop processes inside the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        resume(*pids)


def resume(*pids: int) -> None:
    """Let processes go on."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class _Server:
    """A server of a test's own."""

    def __init__(self, program: Program, directory: Path) -> None:
        log = directory / "log"
        log.mkdir()
        self._group = ChildGroup(stack_directory=directory, output=Console(io.StringIO(), directory=log).output_of)
        self.pid = self._group.launch(program).pid

    def standing_still(self):
        return stopped(*family(self.pid))

    def end(self) -> None:
        self._group.stop()


@contextmanager
def own_postgresql() -> Iterator[tuple[_Server, dict[str, object]]]:
    """Run a PostgreSQL; gives it and Django's settings for it."""
    directory = Path(tempfile.mkdtemp(prefix="bitvault-stopped-", dir="/var/tmp"))
    directory.chmod(0o755)
    port, password = free_ports(("it",))["it"], secrets.token_hex(16)
    described = PostgreSQL(
        directory=directory / "postgresql", port=port, admin_password=password, password=password, throwaway=True
    )
    server = _Server(described.prepare(), directory)
    try:
        _await(described.is_ready)
        yield (
            server,
            {"NAME": "postgres", "USER": ADMIN_ROLE, "PASSWORD": password, "HOST": "127.0.0.1", "PORT": str(port)},
        )
    finally:
        server.end()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def own_valkey() -> Iterator[tuple[_Server, str]]:
    """Run a Valkey; gives it and its URL."""
    directory = Path(tempfile.mkdtemp(prefix="bitvault-stopped-"))
    described = Valkey(directory=directory / "valkey", port=free_ports(("it",))["it"], password=secrets.token_hex(16))
    server = _Server(described.prepare(), directory)
    try:
        _await(described.is_ready)
        yield server, described.url
    finally:
        server.end()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def relay_to(url: str) -> Iterator[tuple[int, str]]:
    """Run a relay in front of a server that others use too; gives its process, which can be stopped, and the URL through it."""
    parts = urlsplit(url)
    program = Path(__file__).with_name("relay.py")
    relay = subprocess.Popen([sys.executable, str(program), str(parts.port)], stdout=subprocess.PIPE)
    try:
        assert relay.stdout is not None
        port = int(relay.stdout.readline())
        relay.stdout.close()
        login = parts.netloc.rpartition("@")[0]
        yield relay.pid, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
    finally:
        relay.kill()
        relay.wait()


@contextmanager
def valkey_at(url: str, settings) -> Iterator[None]:
    """Lead this process to another Valkey; at the end, wait until it has found out that the usual one answers."""
    before = settings.BITVAULT_REDIS_URL
    settings.BITVAULT_REDIS_URL = url
    web_valkey.client.cache_clear()
    try:
        yield
    finally:
        settings.BITVAULT_REDIS_URL = before
        web_valkey.client.cache_clear()
        valkey.outage.suspect()
        _await(lambda: not valkey.outage.is_down and not valkey.outage.is_asked)


def _await(condition) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
