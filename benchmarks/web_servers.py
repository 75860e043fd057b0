"""Which web server, with how many workers and threads: the same three requests against each."""

import sys
import time
from dataclasses import dataclass
from uuid import UUID

from benchmarks import load, processes
from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.folders import PAGE, page_target
from benchmarks.http11 import UnexpectedAnswer
from benchmarks.vault import VaultProblem
from bitvault.stack.applications import WEB_APPLICATION
from bitvault.stack.ports import LOOPBACK, free_ports
from bitvault.stack.process import Child

ASGI_APPLICATION = "bitvault.gateway.asgi:application"
READY_SECONDS = 30
MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Server:
    """A way to serve plain HTTP."""

    workers: int
    threads: int | None
    """Threads of each worker; ``None`` for uvicorn, where Django's own threads serve."""

    @property
    def name(self) -> str:
        if self.threads is None:
            return f"uvicorn (ASGI), {self.workers} workers"
        return f"granian (WSGI), {self.workers} × {self.threads} threads"

    def command(self, port: int) -> tuple[str, ...]:
        place = ("--host", LOOPBACK, "--port", str(port), "--workers", str(self.workers), "--log-level", "warning")
        if self.threads is None:
            return (sys.executable, "-m", "uvicorn", *place, "--lifespan", "off", "--no-access-log", ASGI_APPLICATION)
        options = ("--interface", "wsgi", "--http", "1", "--no-ws", "--blocking-threads", str(self.threads))
        return (sys.executable, "-m", "granian", *place, *options, WEB_APPLICATION)


CANDIDATES = (
    Server(1, 4),
    Server(1, 8),
    Server(2, 1),
    Server(2, 2),
    Server(2, 4),
    Server(2, 8),
    Server(3, 4),
    Server(4, 4),
    Server(2, None),
)


def compare(bench: Bench) -> list[Figure]:
    """Requests in a second through each server: without a query, with one, and a page of 200."""
    folder_id = bench.seed.folder("for the servers")
    bench.seed.fill(folder_id, folders=10, files=990)
    found = []
    for server in CANDIDATES:
        port = free_ports(("web",))["web"]
        child = bench.vault.launch("compared", *server.command(port))
        try:
            _wait(bench, child, port)
            found += _figures(bench, server, port, child, folder_id)
        finally:
            bench.vault.end(child)
    return found


def _wait(bench: Bench, child: Child, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(bench, port):
        if child.exit_code() is not None or time.monotonic() > deadline:
            raise VaultProblem(f"this did not start: {' '.join(child.program.command)}")
        time.sleep(0.1)


def _answers(bench: Bench, port: int) -> bool:
    connection = bench.vault.connect(token=None, port=port)
    try:
        return connection.get("/healthz", expect=(200,)).status == 200
    except (OSError, UnexpectedAnswer):
        return False
    finally:
        connection.close()


def _figures(bench: Bench, server: Server, port: int, child: Child, folder_id: UUID) -> list[Figure]:
    root = bench.seed.owner.root_id
    figures = []
    for name, target in (
        ("no query", "/healthz"),
        ("one node", f"/api/v1/nodes/{root}"),
        ("page of 200", page_target(folder_id, limit=PAGE)),
    ):

        def worker(target: str = target) -> load.Step:
            mine = bench.vault.connect(port=port)
            return lambda: load.void(mine.get(target))

        rate = bench.measure([worker() for _ in range(bench.crowd)])
        own = processes.descendants(child.pid)
        figures.append(Figure(f"  {name}", rate.per_second, "/s", facts={**rate.facts(), "processes": len(own)}))
    held = processes.memory_by_kind(child.pid)
    pss = sum(kind.pss_bytes for kind in held.values()) / MIB
    return [Figure(server.name, pss, "MiB of memory"), *figures]
