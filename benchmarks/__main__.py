"""``make bench``: start a BitVault of its own, measure it, print one table, end everything."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    auditing,
    backups,
    browser,
    figures,
    folders,
    footprint,
    front,
    large_files,
    limiting,
    links,
    people,
    placement,
    rewinding,
    searching,
    small_files,
    stalls,
    statements,
    stream,
    structure,
    told,
    web_servers,
)
from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.http11 import UnexpectedAnswer
from benchmarks.vault import VaultProblem, running

Measurement = Callable[[Bench], list[Figure]]

MEASUREMENTS: dict[str, Measurement] = {
    "uploads": small_files.uploads,
    "batches": small_files.batches,
    "downloads": small_files.downloads,
    "links": links.strangers,
    "large": large_files.large,
    "delta": large_files.delta,
    "listing": folders.listing,
    "scrolling": browser.scrolling,
    "dropping": browser.dropping,
    "reading": folders.reading,
    "limits": limiting.cost,
    "structure": structure.changes,
    "move": structure.moving,
    # Before those that make tenants by the hundred: each costs a restore half a second.
    "backup": backups.taking_and_restoring,
    "move_tenant": placement.moving_elsewhere,
    "rewind": rewinding.encrypted,
    "sign-in": people.signing_in,
    "tenants": people.tenants,
    "front": front.cost,
    "polling": stream.polling,
    "read_writes": stream.reading_writes,
    # Before the next two, whose rows the database goes on tidying up for minutes: that is no rest.
    "relay": stream.relaying,
    "stream_commits": stream.commits,
    "catch_up": stream.catching_up,
    "socket_latency": told.latency,
    "sockets_held": told.held,
    "verify": auditing.verifying,
    "memory": footprint.memory,
}

# Not part of a plain run: one decides once about the web server and takes as long as everything else together; one makes a million nodes
# and needs Java; one makes a thousand tenants, which takes half an hour; the last stops processes, and starts the stack anew
# with the limits that the other rows do without.
ON_REQUEST: dict[str, Measurement] = {
    "servers": web_servers.compare,
    "search": searching.million,
    "statements": statements.monthly,
    "stalls": stalls.stalls,
}


def main() -> int:
    asked = _arguments()
    measurements = {**MEASUREMENTS, **ON_REQUEST}
    # In the order of the table, whatever the order of the words: those on request leave the stack otherwise than the others need it.
    chosen = [name for name in measurements if name in (asked.only or MEASUREMENTS)]
    found: list[Figure] = []
    begun = time.monotonic()
    try:
        with running(asked.dir) as vault:
            _say("starting BitVault, twice")
            found += footprint.starts(vault)
            bench = Bench(vault, quick=asked.quick, nodes=asked.nodes)
            for name in chosen:
                _say(f"measuring {name}")
                found += measurements[name](bench)
                # What was measured stays, whatever becomes of the next one.
                _keep(asked, found)
    except (VaultProblem, UnexpectedAnswer) as problem:
        print(f"benchmarks: {problem}", file=sys.stderr)
        return 1
    print(_heading(time.monotonic() - begun, quick=asked.quick))
    print(figures.table(found))
    return 0


def _keep(asked: argparse.Namespace, found: list[Figure]) -> None:
    if asked.json is not None:
        figures.write_json(asked.json, found, {"quick": asked.quick})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*MEASUREMENTS, *ON_REQUEST]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"only these: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="shorter and less: to see that everything works")
    parser.add_argument(
        "--nodes",
        type=int,
        help="search: among so many nodes instead of a million: thousands, from 100,000 on multiples of it",
    )
    parser.add_argument("--json", type=Path, help="write every figure, with the facts behind it, to this file")
    parser.add_argument("--dir", type=Path, help="where the temporary stack lives: the disk that is measured")
    return parser.parse_args()


def _heading(seconds: float, *, quick: bool) -> str:
    machine = figures.machine()
    kind = "quick run, not for comparing" if quick else "median of three runs"
    return (
        f"\n{machine['date']}: {machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, Linux "
        f"{machine['kernel']}, Python {machine['python']}, PostgreSQL {machine['postgresql']}; {kind}; {seconds:.0f} s in all\n"
    )


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
