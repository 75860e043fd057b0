"""The stream: what it costs to write into it, to watch over it, to read it, and to catch up with it."""

import random
import time
from http import HTTPStatus
from urllib.parse import quote

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_least, at_most
from benchmarks.http11 import Connection
from benchmarks.vault import VaultProblem

TENANTS = 8
IDLE_TENANTS = 500
WAKE_UPS = 40
PATIENCE_SECONDS = 10
WRITES = 1_000
RENAMED = 0.3
"""The share of writes that rename what another one made: then the name before is not found any more."""


def commits(bench: Bench) -> list[Figure]:
    """Commits of one row a second from eight processes, with an event each, beside the same without."""
    rows = bench.vault.run_inside("commits", str(TENANTS), str(bench.seconds))
    return [
        Figure(
            f"commits with an event, {name}, 8 at once",
            rates["with"],
            "/s",
            None,
            Physical(rates["without"], "the same without an event"),
        )
        for name, rates in zip(("one tenant", f"{TENANTS} tenants"), rows, strict=True)
    ]


def catching_up(bench: Bench) -> list[Figure]:
    """Consumers that find a long stream, one after another in one process, and a device that reads what became of it."""
    count = 2_000 if bench.quick else 100_000
    rates = bench.vault.run_inside("catch-up", str(count))
    read = rates.pop("changes read")
    figures = [Figure(f"  {name}", rate, "events/s") for name, rate in sorted(rates.items())]
    slowest = min(rates.values())
    return [
        Figure(f"catching up with {count:,} events: the slowest consumer", slowest, "events/s"),
        *figures,
        Figure("changes read in pages of 1000, one device", read, "/s"),
    ]


def polling(bench: Bench) -> list[Figure]:
    """Devices that ask whether there is anything new, and there is not."""
    web = bench.vault.connect()
    body = {"name": "poller", "platform": "linux"}
    cursor = web.json("POST", "/api/v1/sync/devices", body, expect=(201,)).json()["cursor"]
    more = True
    while more:
        page = web.get(f"/api/v1/sync/changes?cursor={cursor}&limit=1000", expect=(200,)).json()
        cursor, more = page["cursor"], page["has_more"]

    def worker() -> load.Step:
        mine = bench.vault.connect()
        return lambda: load.void(mine.get(f"/api/v1/sync/changes?cursor={cursor}", expect=(200,)))

    rate = bench.measure([worker() for _ in range(bench.crowd)])
    return [
        Figure("anything new? (changes, none), 8 at once", rate.per_second, "/s", at_least(1000), facts=rate.facts()),
        Figure("  web + PostgreSQL CPU of one", rate.cpu_milliseconds("web", "PostgreSQL"), "ms"),
    ]


def relaying(bench: Bench) -> list[Figure]:
    """A vault at rest with 500 tenants: what beat, worker and database spend on it, and how soon a commit has its effects."""
    vault = bench.vault
    vault.run_inside("idle", str(IDLE_TENANTS))
    time.sleep(2)
    with vault.metered() as meter:
        time.sleep(bench.seconds * 2)
    cores = {kind: meter.server.get(kind, 0.0) / meter.seconds for kind in ("beat", "worker", "PostgreSQL")}
    _, statements = vault.count_statements(lambda: time.sleep(1))
    waited, relayed = _wake_ups(bench, "wait_ms=10000"), _wake_ups(bench, "wait_ms=0")
    return [
        Figure(f"relay at rest, {IDLE_TENANTS} tenants", 100 * sum(cores.values()), "% of a core", at_most(5)),
        *(Figure(f"  {kind}", 100 * share, "% of a core") for kind, share in cores.items()),
        Figure("  statements in a second", statements, ""),
        Figure("commit → meter, for one who waits: p95", load.quantile(waited, 0.95) * 1000, "ms", at_most(1000)),
        Figure("  called by the relay's turn: p95", load.quantile(relayed, 0.95) * 1000, "ms"),
    ]


def reading_writes(bench: Bench) -> list[Figure]:
    """Random writes, each followed by a search that names its number: the answer is as of that write or later, or asks to wait."""
    web, parent = bench.vault.connect(), str(bench.seed.folder("read at once"))
    count, misses, waits, chance, present = WRITES // 10 if bench.quick else WRITES, 0, [], random.Random(1), {}
    for turn in range(count):
        name, gone = f"okapi {turn}", ""
        if present and chance.random() < RENAMED:
            gone, node_id = present.popitem()
            answer = web.json(
                "PATCH", f"/api/v1/nodes/{node_id}", {"name": name}, headers={"If-Match": "*"}, expect=(200,)
            )
        else:
            answer = web.json("POST", "/api/v1/folders", {"parent_id": parent, "name": name}, expect=(201,))
        present[name] = answer.json()["id"]
        seq, begun = int(answer.header("BitVault-Seq") or 0), time.perf_counter()
        found = _find(web, name, seq)
        waits.append(time.perf_counter() - begun)
        misses += name not in found or (bool(gone) and gone in _find(web, gone, seq))
    return [
        Figure(f"misses of {count:,} searches, each right after its write", misses, "", at_most(0)),
        Figure("  from the write's answer to the search's: p95", load.quantile(waits, 0.95) * 1000, "ms"),
    ]


def _find(web: Connection, name: str, seq: int) -> list[str]:
    """Search for a name as of a write, again while the answer is to wait."""
    path, end = (
        f"/api/v1/search?q=%22{quote(name)}%22&min_seq={seq}&wait_ms=5000",
        time.perf_counter() + PATIENCE_SECONDS,
    )
    while (answer := web.get(path, expect=(200, 202))).status != HTTPStatus.OK:
        if time.perf_counter() > end:
            raise VaultProblem("search did not come as far as a write")
    body = answer.json()
    return [] if body["is_similar"] else [hit["node"]["name"] for hit in body["items"]]


def _wake_ups(bench: Bench, waiting: str) -> list[float]:
    """From the answer to a commit until the meter has counted it, for somebody who waits for it or for nobody."""
    web, parent = bench.vault.connect(), str(bench.seed.folder(f"woken by {waiting}"))
    waits = []
    for turn in range(WAKE_UPS // 4 if bench.quick else WAKE_UPS):
        body = {"parent_id": parent, "name": f"wake {turn}"}
        seq = int(web.json("POST", "/api/v1/folders", body, expect=(201,)).header("BitVault-Seq") or 0)
        begun = time.perf_counter()
        while web.get(f"/api/v1/usage?min_seq={seq}&{waiting}", expect=(200, 202)).status != HTTPStatus.OK:
            if time.perf_counter() - begun > PATIENCE_SECONDS:
                raise VaultProblem("the meter did not count a commit")
            time.sleep(0.01)
        waits.append(time.perf_counter() - begun)
    return waits
