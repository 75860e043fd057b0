"""What waits, or asks too much, and whether it holds up anybody who needs nothing of it.

For each dependency that is stopped (SIGSTOP: it takes connections and says nothing) and each flood: the p95 of the routes that do not need
it, beside the same routes' p95 of this run when nothing else is at work, and that of ``/healthz``. The limits are those of an
installation. Who is measured is another tenant than who floods.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from benchmarks import load, processes
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Goal, Physical, at_most
from benchmarks.http11 import Connection, UnexpectedAnswer, target_of
from benchmarks.physical import SmallPayloads
from benchmarks.small_files import Uploader
from benchmarks.vault import Vault, VaultProblem
from bitvault.stack.layout import ROOT
from bitvault.stack.ports import LOOPBACK

PATIENCE_SECONDS = 10.0
"""An answer that has not come by then, or is a refusal, counts as this long."""

SOURCE = "127.0.50.1"
"""Who is measured has another address than who floods: what an address may ask is limited."""

PAUSE_SECONDS = 0.02
SETTLE_SECONDS = 2.0
"""From the beginning of a flood to the first thing that is measured: who floods has used up what one may run ahead of their share."""

TENANTS_OWN = frozenset({"bodies", "sign-ins", "sign-ins-many"})
"""Floods of a tenant's own host; the others come by token, or to no host in particular."""

DOUBLED = Goal(2.0, "most", of="ratio")
HALF_MORE = Goal(1.5, "most", of="ratio")
HEALTHY = at_most(100)


@dataclass(frozen=True, slots=True)
class Route:
    """A route that is asked, and what it needs."""

    name: str
    path: str
    by_token: bool
    needs: frozenset[str]


ROUTES = (
    Route("listing", "/api/v1/nodes/root/children", by_token=True, needs=frozenset({"PostgreSQL"})),
    Route("documentation", "/docs/", by_token=False, needs=frozenset()),
)
HEALTH = Route("/healthz", "/healthz", by_token=False, needs=frozenset())


@dataclass(frozen=True, slots=True)
class Stall:
    """Something that goes wrong: what is stopped, and which flood comes at the same time."""

    name: str
    stopped: str = ""
    flood: str = ""
    goal: Goal = DOUBLED


STALLS = (
    Stall("store stopped", stopped="store"),
    Stall("PostgreSQL stopped", stopped="PostgreSQL"),
    Stall("Valkey stopped", stopped="Valkey"),
    Stall("ten bodies that never come", flood="bodies"),
    Stall("thirty who wait for a number", flood="waiters"),
    Stall("store stopped, twelve commits", stopped="store", flood="commits"),
    Stall("store stopped, twelve /readyz", stopped="store", flood="readiness"),
    Stall("PostgreSQL stopped, one token at full speed", stopped="PostgreSQL", flood="full-speed"),
    Stall("sixty sign-ins, one address", flood="sign-ins"),
    Stall("sixty sign-ins, many addresses", flood="sign-ins-many"),
    Stall("one token at full speed", flood="full-speed", goal=HALF_MORE),
)


class Probe:
    """Asks one route again and again on one connection."""

    def __init__(self, vault: Vault, route: Route, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if route.by_token else {}
        self._route = route
        self._connection = Connection(
            LOOPBACK, vault.port, headers=headers, patience_seconds=PATIENCE_SECONDS, source=SOURCE
        )
        self.seconds: list[float] = []
        self.refused = 0

    def run(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            begun = time.perf_counter()
            try:
                self._connection.get(self._route.path, expect=(200,))
                self.seconds.append(time.perf_counter() - begun)
            except (OSError, UnexpectedAnswer):
                self._connection.close()
                self.refused += 1
                self.seconds.append(PATIENCE_SECONDS)
            time.sleep(PAUSE_SECONDS)
        self._connection.close()

    @property
    def p95_ms(self) -> float:
        return load.quantile(self.seconds, 0.95) * 1000

    def facts(self) -> dict[str, Any]:
        return {
            "count": len(self.seconds),
            "refused": self.refused,
            "p50_ms": round(load.quantile(self.seconds, 0.5) * 1000, 2),
            "p95_ms": round(self.p95_ms, 2),
            "longest_ms": round(max(self.seconds) * 1000, 2),
        }


def stalls(bench: Bench) -> list[Figure]:
    """Every stall, one after another, on a stack with the limits of an installation."""
    vault = bench.vault
    vault.restart(variables={})
    neighbour = str(vault.run_inside("neighbour")["token"])
    seconds = 3.0 if bench.quick else 10.0
    idle = measure(vault, [*ROUTES, HEALTH], neighbour, seconds=seconds)
    found = [Figure(f"idle: p95 of {name}", probe.p95_ms, "ms", facts=probe.facts()) for name, probe in idle.items()]
    prepared = {stall.name: prepare(bench, stall) for stall in STALLS}
    for stall in STALLS:
        routes = [route for route in ROUTES if stall.stopped not in route.needs]
        with ExitStack() as trouble:
            if stall.stopped:
                trouble.enter_context(stopped(vault, stall.stopped))
            if stall.flood:
                trouble.enter_context(flooded(vault, stall.flood, prepared[stall.name]))
            time.sleep(SETTLE_SECONDS)
            probes = measure(vault, [*routes, HEALTH], neighbour, seconds=seconds)
        found += [
            Figure(
                f"{stall.name}: p95 of {route.name}",
                probes[route.name].p95_ms,
                "ms",
                stall.goal,
                Physical(idle[route.name].p95_ms, "idle"),
                probes[route.name].facts(),
            )
            for route in routes
        ]
        health = probes[HEALTH.name]
        found.append(Figure("  /healthz", health.p95_ms, "ms", HEALTHY, None, health.facts()))
        told = ", ".join(f"{name} {probe.p95_ms:.1f}" for name, probe in probes.items())
        print(f"    {stall.name}: {told} ms", file=sys.stderr, flush=True)
        recover(vault, neighbour)
    return found


def measure(vault: Vault, routes: list[Route], token: str, *, seconds: float) -> dict[str, Probe]:
    """Ask all of these routes at the same time."""
    probes = {route.name: Probe(vault, route, token) for route in routes}
    threads = [threading.Thread(target=probe.run, args=(seconds,)) for probe in probes.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return probes


def prepare(bench: Bench, stall: Stall) -> list[str]:
    """Make what a flood asks for."""
    if stall.flood != "commits":
        return ["/api/v1/nodes/root/children"]
    uploader = Uploader(bench, SmallPayloads(), bench.seed.folder(f"stalls {time.time()}"))
    paths = []
    for _ in range(12):
        upload, payload = uploader.start()
        (part,) = upload["parts"]
        uploader.store.request("PUT", target_of(part["url"]), headers=part["headers"], body=payload, expect=(200,))
        paths.append(f"/api/v1/uploads/{upload['id']}/commit")
    return paths


@contextmanager
def stopped(vault: Vault, kind: str) -> Iterator[None]:
    """Let the processes of a kind stand still, connections open."""
    pids = processes.by_kind(vault.pid).get(kind, [])
    if not pids:
        raise VaultProblem(f"no process of {kind} runs")
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def flooded(vault: Vault, kind: str, paths: list[str]) -> Iterator[None]:
    """Let a flood come from another process, of a session of its own.

    Linux shares cores out to sessions where nothing else does (``sched_autogroup_enabled``). In this session the flood would take the share
    of who is measured, whose client it does not meet in life.
    """
    demo = vault.demo
    target = {
        "port": vault.port,
        "token": demo["token"],
        "host": f"{demo['tenant']}.localhost:{vault.port}" if kind in TENANTS_OWN else "",
        "paths": paths,
    }
    flood = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.floods", kind, json.dumps(target)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert flood.stdout is not None
        flood.stdout.readline()
        yield
    finally:
        flood.kill()
        flood.wait()


def recover(vault: Vault, token: str) -> None:
    """Wait until everybody is answered again, who flooded too."""
    end = time.monotonic() + 90
    for waiting in (token, vault.token):
        probe = Probe(vault, ROUTES[0], waiting)
        probe.run(0.2)
        while probe.p95_ms > 1000:
            if time.monotonic() > end:
                raise VaultProblem("BitVault did not recover in time")
            probe.seconds.clear()
            time.sleep(1)
            probe.run(0.2)
