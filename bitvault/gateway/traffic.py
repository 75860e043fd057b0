"""How many requests come and how long they take, as the processes that share BITVAULT_METRICS_DIRECTORY have counted them lately.

Counters only rise, so a rate needs two readings: each reading is compared with an earlier one of this process.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

WINDOW_SECONDS = 30.0
"""A rate is told over this time where there are readings of it: long enough to be calm, short enough to be news."""

LEAST_SECONDS = 1.0
"""Readings closer together tell nothing."""

_SERVER_ERROR = "5"


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters at a moment of this process's clock."""

    at: float
    count: int
    failed_count: int
    """Of these, those answered with 500 and above."""
    buckets: Sequence[tuple[float, float]]
    """Upper bounds in seconds, rising, each with how many requests took at most so long."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came in the last while."""

    requests_per_second: float
    failed_per_second: float
    median_seconds: float | None
    """``None`` when nothing came."""
    p95_seconds: float | None
    over_seconds: float
    """The time that this is told of."""

    @property
    def failed_percent(self) -> float:
        """Which share of the requests was answered with 500 and above."""
        return self.failed_per_second * 100 / self.requests_per_second if self.requests_per_second else 0.0


class Meter:
    """Reads the counters and compares them with what they were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: deque[Reading] = deque()

    def read(self) -> Traffic | None:
        """Tell what came since an earlier reading, half a minute ago at most; ``None``: this is the first one for a while."""
        now = read_counters()
        with self._lock:
            if self._readings and self._readings[-1].count > now.count:
                self._readings.clear()  # every process was started anew
            while self._readings and now.at - self._readings[0].at > WINDOW_SECONDS:
                self._readings.popleft()
            before = self._readings[0] if self._readings else None
            self._readings.append(now)
        if before is None or now.at - before.at < LEAST_SECONDS:
            return None
        return compare(before, now)


def compare(before: Reading, now: Reading) -> Traffic:
    """Tell what came between two readings."""
    seconds = now.at - before.at
    earlier = dict(before.buckets)
    grown = [(bound, count - earlier.get(bound, 0.0)) for bound, count in now.buckets]
    return Traffic(
        requests_per_second=(now.count - before.count) / seconds,
        failed_per_second=(now.failed_count - before.failed_count) / seconds,
        median_seconds=quantile(grown, 0.5),
        p95_seconds=quantile(grown, 0.95),
        over_seconds=seconds,
    )


def quantile(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    """Estimate within how many seconds a share of the requests was answered, as Prometheus does: evenly spread within a bucket."""
    total = buckets[-1][1] if buckets else 0.0
    if total <= 0:
        return None
    wanted = share * total
    for (lower, below), (upper, count) in pairwise([(0.0, 0.0), *buckets]):
        if count >= wanted:
            if upper == float("inf"):
                return lower
            return lower + (upper - lower) * (wanted - below) / (count - below) if count > below else upper
    return buckets[-1][0]


def read_counters() -> Reading:
    """Read the counters of all processes that share a directory, else of this one."""
    registry: Any = REGISTRY
    if settings.BITVAULT_METRICS_DIRECTORY:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=settings.BITVAULT_METRICS_DIRECTORY)  # type: ignore[no-untyped-call] # it has no types
    return sum_up(registry.collect(), at=time.monotonic())


def sum_up(families: Iterable[Any], *, at: float) -> Reading:
    """Add the counters of all routes up."""
    count = failed = 0
    buckets: dict[float, float] = {}
    for family in families:
        for sample in family.samples:
            if sample.name == "bitvault_requests_total":
                count += int(sample.value)
                failed += int(sample.value) if sample.labels["status"].startswith(_SERVER_ERROR) else 0
            elif sample.name == "bitvault_request_seconds_bucket":
                bound = float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0.0) + sample.value
    return Reading(at, count, failed, sorted(buckets.items()))
