"""Small files: 4 KiB in, 4 KiB out, eight at once."""

import hashlib
import itertools
import time
from collections.abc import Iterator
from uuid import UUID

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_least, at_most
from benchmarks.http11 import Connection, target_of
from benchmarks.physical import SmallPayloads

CONTROL = ("web", "PostgreSQL", "Valkey")


class Uploader:
    """Brings small files in: start with the hash, PUT to the store, commit."""

    def __init__(self, bench: Bench, payloads: SmallPayloads, folder_id: UUID) -> None:
        self.web = bench.vault.connect()
        self.store = bench.machine.store.connect()
        self._payloads = payloads
        self._folder_id = str(folder_id)
        self.made: list[str] = []
        self.stages: dict[str, list[float]] = {"start": [], "put": [], "commit": []}

    def start(self) -> tuple[dict, bytes]:
        number, payload = self._payloads.next()
        wanted = {
            "parent_id": self._folder_id,
            "name": f"small {number}.bin",
            "size_bytes": len(payload),
            "part_hashes": [hashlib.sha256(payload).hexdigest()],
        }
        return self.web.json("POST", "/api/v1/uploads", wanted, expect=(201,)).json(), payload

    def __call__(self) -> None:
        begun = time.perf_counter()
        upload, payload = self.start()
        started = time.perf_counter()
        (part,) = upload["parts"]
        self.store.request("PUT", target_of(part["url"]), headers=part["headers"], body=payload, expect=(200,))
        put = time.perf_counter()
        hashes = {"part_hashes": [part["sha256"]]}
        node = self.web.json("POST", f"/api/v1/uploads/{upload['id']}/commit", hashes, expect=(201,)).json()
        done = time.perf_counter()
        self.made.append(node["id"])
        for stage, seconds in (("start", started - begun), ("put", put - started), ("commit", done - put)):
            self.stages[stage].append(seconds)


def uploads(bench: Bench) -> list[Figure]:
    """Files in a second through start, PUT and commit, and what one costs the control plane."""
    store = bench.machine.small_puts
    folder_id = bench.seed.folder("small uploads")
    payloads = SmallPayloads()
    workers = [Uploader(bench, payloads, folder_id) for _ in range(bench.crowd)]
    rate = bench.measure(workers)
    one = workers[0]
    starting, starting_bare = bench.vault.count_statements(one.start)
    whole, whole_bare = bench.vault.count_statements(one)
    stages = {
        f"{stage}_p50_ms": round(load.quantile([s for worker in workers for s in worker.stages[stage]], 0.5) * 1000, 2)
        for stage in ("start", "put", "commit")
    }
    statements = {
        "statements_start": starting_bare,
        "statements_commit": whole_bare - starting_bare,
        "round_trips_with_begin_and_commit": whole,
        "round_trips_of_start": starting,
    }
    facts = {**rate.facts(), **stages, **statements, "store_alone": store.facts()}
    put = Physical(store.per_second, "store PUT")
    return [
        Figure("4 KiB uploads, 8 at once", rate.per_second, "files/s", at_least(130), put, facts),
        Figure("control-plane CPU of one", rate.cpu_milliseconds(*CONTROL), "ms", at_most(10)),
        Figure("  web", rate.cpu_milliseconds("web"), "ms"),
        Figure("  PostgreSQL", rate.cpu_milliseconds("PostgreSQL"), "ms"),
        Figure("  store, for the same file", rate.cpu_milliseconds("store"), "ms"),
        Figure("  the measuring client", rate.client_milliseconds, "ms"),
        Figure("  statements of start", starting_bare, ""),
        Figure("  statements of commit", whole_bare - starting_bare, ""),
    ]


class BatchUploader:
    """Brings small files in by the batch: one start, a PUT for each, one commit."""

    SIZE = 50

    def __init__(self, bench: Bench, payloads: SmallPayloads, folder_id: UUID) -> None:
        self._web = bench.vault.connect()
        self._store = bench.machine.store.connect()
        self._payloads = payloads
        self._folder_id = str(folder_id)

    def __call__(self) -> None:
        files = [self._payloads.next() for _ in range(self.SIZE)]
        wanted = [
            {
                "parent_id": self._folder_id,
                "name": f"batch {number}.bin",
                "size_bytes": len(payload),
                "part_hashes": [hashlib.sha256(payload).hexdigest()],
            }
            for number, payload in files
        ]
        started = self._web.json("POST", "/api/v1/uploads/batch", {"uploads": wanted}, expect=(200,)).json()["items"]
        for item, (_, payload) in zip(started, files, strict=True):
            (part,) = item["upload"]["parts"]
            self._store.request("PUT", target_of(part["url"]), headers=part["headers"], body=payload, expect=(200,))
        commits = {"uploads": [{"id": item["upload"]["id"]} for item in started]}
        done = self._web.json("POST", "/api/v1/uploads/batch/commit", commits, expect=(200,)).json()["items"]
        if {item["status"] for item in done} != {201}:
            raise RuntimeError("a batch did not come in whole")


def batches(bench: Bench) -> list[Figure]:
    """Files in a second by batches of fifty, and what one costs the control plane."""
    store = bench.machine.small_puts
    payloads = SmallPayloads()
    folder_id = bench.seed.folder("batches")
    rate = bench.measure([BatchUploader(bench, payloads, folder_id) for _ in range(bench.crowd)])
    size = BatchUploader.SIZE
    put = Physical(store.per_second, "store PUT")
    facts = {**rate.facts(), "files_in_a_batch": size, "store_alone": store.facts()}
    return [
        Figure("4 KiB uploads by batches of 50", rate.per_second * size, "files/s", at_least(400), put, facts),
        Figure("  control-plane CPU of one file", rate.cpu_milliseconds(*CONTROL) / size, "ms", at_most(2)),
        Figure("  web", rate.cpu_milliseconds("web") / size, "ms"),
        Figure("  PostgreSQL", rate.cpu_milliseconds("PostgreSQL") / size, "ms"),
    ]


def fetcher(bench: Bench, nodes: Iterator[str]) -> load.Step:
    """Make a member who downloads one file after another."""
    web = bench.vault.connect()

    def ask() -> str:
        return web.get(f"/api/v1/nodes/{next(nodes)}/content", expect=(302,)).header("Location") or ""

    # Where downloads are signed for: the front before the store, or the store itself.
    bytes_from = Connection.to(ask())

    def step() -> None:
        bytes_from.get(target_of(ask()), expect=(200,))

    return step


def downloads(bench: Bench) -> list[Figure]:
    """Files in a second through the redirect and the store."""
    store = bench.machine.small_gets
    uploader = Uploader(bench, SmallPayloads(), bench.seed.folder("small downloads"))
    for _ in range(200):
        uploader()
    nodes = itertools.cycle(uploader.made)

    rate = bench.measure([fetcher(bench, nodes) for _ in range(bench.crowd)])
    facts = {**rate.facts(), "store_alone": store.facts()}
    return [
        Figure(
            "4 KiB downloads, 8 at once",
            rate.per_second,
            "files/s",
            at_least(430),
            Physical(store.per_second, "store GET"),
            facts,
        ),
        Figure("  control-plane CPU of one", rate.cpu_milliseconds(*CONTROL), "ms"),
    ]
