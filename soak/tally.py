"""What happened, counted by all threads, and the report of it."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts of one run, and everything that must not have happened."""

    seed: int
    begun: float = field(default_factory=time.monotonic)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    recoveries: list[tuple[float, str]] = field(default_factory=list)
    resumptions: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    checks: int = 0
    facts: dict[str, object] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: Counter[str], name: str, amount: int = 1) -> None:
        with self._lock:
            what[name] += amount

    def violate(self, sentence: str) -> None:
        with self._lock:
            self.violations.append(sentence)

    def check(self, found: list[str]) -> None:
        """Take one check's findings."""
        with self._lock:
            self.checks += 1
            self.violations += found

    def report(self) -> str:
        """Write the run out, line by line."""
        slowest = max(self.recoveries, default=(0.0, "nothing"))
        seconds = sorted(seconds for seconds, _ in self.recoveries)
        median = seconds[len(seconds) // 2] if seconds else 0.0
        resumed = sorted(self.resumptions)
        lines = {
            "seed": f"{self.seed} (--seed {self.seed} draws the same moments and deeds again; the machine's own timing stays its own)",
            "time": f"{time.monotonic() - self.begun:.0f} s",
            "kills": _counts(self.kills),
            "faults": _counts(self.faults),
            "done": _counts(self.done),
            "refused": _counts(self.refused),
            "asked again": _counts(self.waits),
            **{name: str(value) for name, value in self.facts.items()},
            "recovery": f"median {median:.1f} s, slowest {slowest[0]:.1f} s, after {slowest[1]}",
            "sockets": f"{len(resumed)} times back, median {resumed[len(resumed) // 2]:.2f} s"
            if resumed
            else "none cut",
            "checks": str(self.checks),
            "violations": str(len(self.violations)),
        }
        text = "\n".join(f"{name:<12} {value}" for name, value in lines.items())
        return "\n".join([text, *(f"  - {sentence}" for sentence in self.violations)])


def _counts(counted: Counter[str]) -> str:
    each = ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))
    return f"{counted.total()} ({each})" if counted else "none"
