"""What limits on requests cost: the same request with them and without, by turns in one process."""

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Goal, Physical


def cost(bench: Bench) -> list[Figure]:
    """CPU of reading a node through the whole application."""
    found = bench.vault.run_inside("limits", bench.vault.token)
    return [
        Figure(
            "read one node with limits: CPU",
            found["with"],
            "ms",
            Goal(1.10, "most", of="ratio"),
            Physical(found["without"], "without limits"),
        )
    ]
