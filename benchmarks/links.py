"""Public links: opened and downloaded through by strangers."""

import itertools

from benchmarks import load, small_files
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_least
from benchmarks.http11 import Connection, target_of
from benchmarks.small_files import CONTROL, SmallPayloads, Uploader

FILES = 20


def strangers(bench: Bench) -> list[Figure]:
    """Pages of links in a second, and downloads through the redirect and the store, by browsers that no cookie knows again."""
    uploader = Uploader(bench, SmallPayloads(), bench.seed.folder("linked files"))
    for _ in range(FILES):
        uploader()
    owner = bench.vault.connect()
    paths = []
    for node_id in uploader.made:
        made = owner.json("POST", f"/api/v1/nodes/{node_id}/links", {"kind": "download"}).json()
        paths.append((f"/s/{made['url'].rpartition('/')[2]}", node_id))
    turns = itertools.cycle(paths)
    host = f"{bench.vault.demo['tenant']}.localhost:{bench.vault.port}"

    def opener() -> load.Step:
        web = bench.vault.connect(token=None, host_header=host)
        return lambda: load.void(web.get(next(turns)[0], expect=(200,)))

    programs = itertools.count(1)

    def fetcher(*, popular: bool = False) -> load.Step:
        """Make somebody who downloads one file after another; of a popular link it is somebody else each time."""
        web = bench.vault.connect(token=None, host_header=host)

        def ask() -> str:
            path, node_id = paths[0] if popular else next(turns)
            headers = {"User-Agent": f"program {next(programs)}"} if popular else {}
            answer = web.get(f"{path}/content/{node_id}", headers=headers, expect=(302,))
            return answer.header("Location") or ""

        # Where downloads are signed for: the front before the store, or the store itself.
        bytes_from = Connection.to(ask())
        return lambda: load.void(bytes_from.get(target_of(ask()), expect=(200,)))

    opened = bench.measure([opener() for _ in range(bench.crowd)])
    members = bench.measure([small_files.fetcher(bench, itertools.cycle(uploader.made)) for _ in range(bench.crowd)])
    fetched = bench.measure([fetcher() for _ in range(bench.crowd)])
    popular = bench.measure([fetcher(popular=True) for _ in range(bench.crowd)])
    member = Physical(members.per_second, "a member's download")
    return [
        Figure("page of a link, 8 at once", opened.per_second, "pages/s", facts=opened.facts()),
        Figure(
            "download through a link, 8 at once",
            fetched.per_second,
            "files/s",
            at_least(430),
            member,
            {**fetched.facts(), "member": members.facts()},
        ),
        Figure("  control-plane CPU of one", fetched.cpu_milliseconds(*CONTROL), "ms"),
        Figure("  all through one link, each new", popular.per_second, "files/s", None, member, facts=popular.facts()),
    ]
