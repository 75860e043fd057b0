"""Changes of the tree: create, rename, trash and move, each one row and one event."""

import itertools
import time
from uuid import UUID

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_least, at_most
from benchmarks.seed import Sown

OWN_NODES = 50
TRASHED_PER_SECOND = 2_000
"""More than can be trashed in the measured time, so that no run ends early."""


def changes(bench: Bench) -> list[Figure]:
    """Folders made, nodes renamed, nodes trashed in a second."""
    commits = Physical(bench.machine.commits, "PostgreSQL INSERT + commit")
    found = []
    for name, goal, rate, statements in (
        ("create folder, 8 at once", 340, *creating(bench)),
        ("rename, 8 at once", 200, *renaming(bench)),
        ("delete to trash, 8 at once", 200, *trashing(bench)),
    ):
        facts = {**rate.facts(), "statements_with_begin_and_commit": statements[0]}
        found += [
            Figure(name, rate.per_second, "/s", at_least(goal), commits, facts),
            Figure("  web + PostgreSQL CPU of one", rate.cpu_milliseconds("web", "PostgreSQL"), "ms"),
            Figure("  statements", statements[1], ""),
        ]
    return found


def creating(bench: Bench) -> tuple[load.Rate, tuple[int, int]]:
    parent, numbers = str(bench.seed.folder("made folders")), itertools.count()

    def worker() -> load.Step:
        web = bench.vault.connect()

        def step() -> None:
            web.json("POST", "/api/v1/folders", {"parent_id": parent, "name": f"folder {next(numbers)}"}, expect=(201,))

        return step

    rate = bench.measure([worker() for _ in range(bench.crowd)])
    return rate, bench.vault.count_statements(worker())


def renaming(bench: Bench) -> tuple[load.Rate, tuple[int, int]]:
    nodes = bench.seed.fill(bench.seed.folder("renamed files"), files=OWN_NODES * (bench.crowd + 1), prefix="draft")
    numbers = itertools.count()

    def worker(mine: list[Sown]) -> load.Step:
        web, revisions = bench.vault.connect(), {node.id: 1 for node in mine}
        turns = itertools.cycle(revisions)

        def step() -> None:
            node_id = next(turns)
            answer = web.json(
                "PATCH",
                f"/api/v1/nodes/{node_id}",
                {"name": f"final {next(numbers)}.pdf"},
                headers={"If-Match": f'"{revisions[node_id]}"'},
            )
            revisions[node_id] = answer.json()["revision"]

        return step

    workers = [worker(nodes[n * OWN_NODES : (n + 1) * OWN_NODES]) for n in range(bench.crowd + 1)]
    return bench.measure(workers[:-1]), bench.vault.count_statements(workers[-1])


def trashing(bench: Bench) -> tuple[load.Rate, tuple[int, int]]:
    count = int(TRASHED_PER_SECOND * (bench.seconds * bench.runs + 2))
    waiting = bench.seed.fill(bench.seed.folder("trashed files"), files=count, prefix="old")

    def worker() -> load.Step:
        web = bench.vault.connect()
        return lambda: load.void(web.request("DELETE", f"/api/v1/nodes/{waiting.pop().id}", expect=(204,)))

    rate = bench.measure([worker() for _ in range(bench.crowd)])
    return rate, bench.vault.count_statements(worker())


def moving(bench: Bench) -> list[Figure]:
    """Moves of a folder with 100,000 descendants, to and fro."""
    places = [bench.seed.folder("here"), bench.seed.folder("there")]
    large = bench.seed.folder("large folder")
    below = bench.seed.forest(large, branches=20 if bench.quick else 100, leaves=1000)
    web = bench.vault.connect()
    revision = 1

    def move(to: UUID) -> float:
        nonlocal revision
        begun = time.perf_counter()
        answer = web.json(
            "PATCH", f"/api/v1/nodes/{large}", {"parent_id": str(to)}, headers={"If-Match": f'"{revision}"'}
        )
        took = time.perf_counter() - begun
        revision = answer.json()["revision"]
        return took

    turns = itertools.cycle(places)
    seconds = [move(next(turns)) for _ in range(20 if bench.quick else 100)]
    _, statements = bench.vault.count_statements(lambda: move(next(turns)))
    return [
        Figure(f"move a folder with {below:,} below: p50", load.quantile(seconds, 0.5) * 1000, "ms"),
        Figure("  p95", load.quantile(seconds, 0.95) * 1000, "ms", at_most(50)),
        Figure("  statements", statements, ""),
    ]
