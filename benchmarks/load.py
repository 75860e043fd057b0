"""Load: several workers in a closed loop, each on connections of its own, and what they saw."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.vault import Meter, Vault

Step = Callable[[], float | None]
"""One piece of work. It may give the seconds that count as its latency, when not all of it does."""

CROWD = 8
"""Workers of a measurement, as in the peer table."""


@dataclass(slots=True)
class Rate:
    """How often something was done in a second, how long one took, and what it cost."""

    per_second: float
    count: int
    seconds: float
    latencies: list[float]
    meter: Meter = field(default_factory=Meter)

    def milliseconds(self, fraction: float) -> float:
        """Give a quantile of the latencies in milliseconds."""
        return quantile(self.latencies, fraction) * 1000

    def cpu_milliseconds(self, *kinds: str) -> float:
        """Give the CPU time of some kinds of process for one piece of work."""
        return sum(self.meter.server.get(kind, 0.0) for kind in kinds) / max(1, self.count) * 1000

    @property
    def client_milliseconds(self) -> float:
        return self.meter.client / max(1, self.count) * 1000

    def facts(self) -> dict[str, float]:
        """Give everything as plain figures, for the JSON."""
        kinds = {f"cpu_ms_{kind}": round(self.cpu_milliseconds(kind), 3) for kind in sorted(self.meter.server)}
        return {
            "per_second": round(self.per_second, 1),
            "count": self.count,
            "p50_ms": round(self.milliseconds(0.5), 2),
            "p95_ms": round(self.milliseconds(0.95), 2),
            **kinds,
            "cpu_ms_client": round(self.client_milliseconds, 3),
        }


def quantile(values: Sequence[float], fraction: float) -> float:
    """Give the value below which a fraction of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]


def run_for(seconds: float, steps: Sequence[Step]) -> Rate:
    """Let every worker repeat its step until the time is over; work that has begun is finished and counted."""
    gate = threading.Barrier(len(steps) + 1)
    latencies: list[list[float]] = [[] for _ in steps]
    problems: list[BaseException] = []
    deadline = 0.0

    def work(number: int) -> None:
        step, mine = steps[number], latencies[number]
        gate.wait()
        try:
            while time.perf_counter() < deadline and not problems:
                begun = time.perf_counter()
                took = step()
                mine.append(time.perf_counter() - begun if took is None else took)
        except BaseException as problem:  # noqa: BLE001 - raised again by the thread that measures
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(steps))]
    for thread in threads:
        thread.start()
    begun = time.perf_counter()
    deadline = begun + seconds
    gate.wait()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    if problems:
        raise problems[0]
    seen = [one for mine in latencies for one in mine]
    return Rate(per_second=len(seen) / took, count=len(seen), seconds=took, latencies=seen)


def measure(vault: Vault, steps: Sequence[Step], *, seconds: float, runs: int, warm_up_seconds: float = 1.0) -> Rate:
    """Run the load several times after a warm-up; the median run is the figure."""
    run_for(warm_up_seconds, steps)
    found = []
    for _ in range(runs):
        with vault.metered() as meter:
            rate = run_for(seconds, steps)
        rate.meter = meter
        found.append(rate)
    return sorted(found, key=lambda rate: rate.per_second)[len(found) // 2]


def once_each(work: Sequence[Callable[[], object]], *, workers: int) -> float:
    """Do each piece of work once, some at a time; returns the seconds for all."""
    waiting = list(reversed(work))
    problems: list[BaseException] = []

    def drain() -> None:
        while not problems:
            try:
                act = waiting.pop()
            except IndexError:
                return
            try:
                act()
            except BaseException as problem:  # noqa: BLE001 - raised again below
                problems.append(problem)

    threads = [threading.Thread(target=drain, daemon=True) for _ in range(workers)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return time.perf_counter() - begun


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def void(_: object) -> None:
    """Forget an answer: a step that gives a number would have it taken for its latency."""
