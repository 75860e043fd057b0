"""What the front costs: the same request through it and past it."""

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_most

LIMIT_MILLISECONDS = 0.3


def cost(bench: Bench) -> list[Figure]:
    """Caddy's CPU for a request that reads one node, and what the web itself needs for it."""
    target = f"/api/v1/nodes/{bench.seed.owner.root_id}"
    rates = {}
    for name, port in (("through", bench.vault.port), ("past", bench.vault.servers.ports["wsgi"])):

        def worker(port: int = port) -> load.Step:
            mine = bench.vault.connect(port=port)
            return lambda: load.void(mine.get(target))

        rates[name] = bench.measure([worker() for _ in range(bench.crowd)])
    through, past = rates["through"], rates["past"]
    return [
        Figure(
            "front: CPU of one request",
            through.cpu_milliseconds("front"),
            "ms",
            at_most(LIMIT_MILLISECONDS),
            Physical(through.cpu_milliseconds("web"), "web, for the same"),
            through.facts(),
        ),
        Figure(
            "  read one node through it, 8 at once",
            through.per_second,
            "/s",
            None,
            Physical(past.per_second, "past it"),
            past.facts(),
        ),
    ]
