"""Large folders: pages of one with 10,000 children."""

import time
from typing import Any
from uuid import UUID

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_most
from benchmarks.http11 import Connection

CHILDREN = 10_000
PAGE, LARGE_PAGE = 200, 1000
QUERY_LIMIT = 6


def page_target(folder_id: UUID, *, limit: int, cursor: str | None = None) -> str:
    after = f"&cursor={cursor}" if cursor else ""
    return f"/api/v1/nodes/{folder_id}/children?limit={limit}{after}"


def walk(connection: Connection, folder_id: UUID, limit: int) -> tuple[list[float], int, int]:
    """Read a whole folder page by page: seconds of each page, children seen, bytes."""
    seconds, seen, size, cursor = [], set(), 0, None
    while True:
        begun = time.perf_counter()
        answer = connection.get(page_target(folder_id, limit=limit, cursor=cursor))
        seconds.append(time.perf_counter() - begun)
        page: dict[str, Any] = answer.json()
        seen.update(item["id"] for item in page["items"])
        size += answer.body_bytes
        cursor = page["next_cursor"]
        if cursor is None:
            return seconds, len(seen), size


def listing(bench: Bench) -> list[Figure]:
    """Pages of 200, and the whole folder in pages of 1000."""
    folder_id = bench.seed.folder("ten thousand")
    bench.seed.fill(folder_id, folders=500, files=CHILDREN - 500)
    connection = bench.vault.connect()
    walk(connection, folder_id, PAGE)
    pages, firsts, wholes, size = [], [], [], 0
    for _ in range(2 if bench.quick else 6):
        seconds, seen, _ = walk(connection, folder_id, PAGE)
        assert seen == CHILDREN
        pages += seconds
        firsts += [timed(connection, page_target(folder_id, limit=PAGE)) for _ in range(20)]
        seconds, seen, size = walk(connection, folder_id, LARGE_PAGE)
        assert seen == CHILDREN
        wholes.append(sum(seconds))
    first = page_target(folder_id, limit=PAGE)
    round_trips, statements = bench.vault.count_statements(lambda: connection.get(first))

    def worker() -> load.Step:
        mine = bench.vault.connect()
        return lambda: load.void(mine.get(first))

    rate = bench.measure([worker() for _ in range(bench.crowd)])
    return [
        Figure("page of 200 of 10,000, first: p50", load.quantile(firsts, 0.5) * 1000, "ms", at_most(25)),
        Figure("  any page: p50", load.quantile(pages, 0.5) * 1000, "ms"),
        Figure("  any page: p95", load.quantile(pages, 0.95) * 1000, "ms", at_most(50)),
        Figure("  statements", statements, "", at_most(QUERY_LIMIT), facts={"with_begin_and_commit": round_trips}),
        Figure("  8 at once", rate.per_second, "pages/s", facts=rate.facts()),
        Figure("  web CPU of one", rate.cpu_milliseconds("web"), "ms"),
        Figure("10,000 children in pages of 1000", load.median(wholes), "s", at_most(0.33), facts={"bytes": size}),
    ]


def reading(bench: Bench) -> list[Figure]:
    """One node by id: the cheapest request that asks the database."""
    target = f"/api/v1/nodes/{bench.seed.owner.root_id}"
    selects = bench.machine.selects
    rates = {}
    # Past the front, which has the socket process answer for health.
    web = bench.vault.servers.ports["wsgi"]
    for name, path, port in (("no query", "/healthz", web), ("one node", target, None)):

        def worker(path: str = path, port: int | None = port) -> load.Step:
            mine = bench.vault.connect(port=port)
            return lambda: load.void(mine.get(path))

        rates[name] = bench.measure([worker() for _ in range(bench.crowd)])
    node = rates["one node"]
    return [
        Figure(
            "answer without a query, 8 at once", rates["no query"].per_second, "/s", facts=rates["no query"].facts()
        ),
        Figure(
            "read one node, 8 at once",
            node.per_second,
            "/s",
            None,
            Physical(selects, "PostgreSQL SELECT"),
            node.facts(),
        ),
    ]


def timed(connection: Connection, target: str) -> float:
    begun = time.perf_counter()
    connection.get(target)
    return time.perf_counter() - begun
