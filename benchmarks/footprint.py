"""How long a start takes, and what the running processes hold."""

import time

from benchmarks import processes
from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_most
from benchmarks.vault import Vault

MIB = 1024**2
FIRST_START_SECONDS, SECOND_START_SECONDS = 60, 15
KINDS = ("front", "web", "sockets", "worker", "beat", "loaded code", "supervisor", "PostgreSQL", "Valkey", "store")
REST_MEBIBYTES, REST_SECONDS = 800, 5


def starts(vault: Vault) -> list[Figure]:
    """Start from nothing, stop, and start again; the vault runs afterwards."""
    first = vault.start()
    stopped = vault.stop()
    second = vault.start()
    return [
        Figure("first start, from an empty directory", first, "s", at_most(FIRST_START_SECONDS)),
        Figure("second start", second, "s", at_most(SECOND_START_SECONDS)),
        Figure("  stop", stopped, "s"),
        at_rest(vault),
    ]


def at_rest(vault: Vault) -> Figure:
    """Memory of everything after a start, before anything is asked but the one upload that a start tries."""
    time.sleep(REST_SECONDS)
    kinds = {kind: held.pss_bytes / MIB for kind, held in processes.memory_by_kind(vault.pid).items()}
    facts = {kind: round(mebibytes, 1) for kind, mebibytes in kinds.items()}
    return Figure(
        "memory (PSS) of everything at rest", sum(kinds.values()), "MiB", at_most(REST_MEBIBYTES), facts=facts
    )


def memory(bench: Bench) -> list[Figure]:
    """Memory of each kind of process, after whatever ran before in this run."""
    found = processes.memory_by_kind(bench.vault.pid)
    figures = []
    for kind in KINDS:
        if kind in found:
            held = found[kind]
            facts = {"processes": held.count, "rss_mib": round(held.rss_bytes / MIB, 1)}
            plural = "es" if held.count > 1 else ""
            figures.append(Figure(f"  {kind}, {held.count} process{plural}", held.pss_bytes / MIB, "MiB", facts=facts))
    whole = sum(held.pss_bytes for held in found.values()) / MIB
    return [Figure("memory (PSS) of everything", whole, "MiB"), *figures]
