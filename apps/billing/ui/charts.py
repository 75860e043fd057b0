"""Charts of usage as SVG, drawn by the server: nothing to load, and read by screen readers as a table beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from apps.billing.dtos import UsageOfDay

WIDTH, HEIGHT = 720, 200
LEFT, TOP, BOTTOM = 0, 12, 4


@dataclass(frozen=True, slots=True)
class Layer:
    """An area of a chart, stacked on those before it."""

    metric: str
    points: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid, with the figure that it stands for."""

    y: float
    amount: int


@dataclass(frozen=True, slots=True)
class Day:
    """A row of the table."""

    day: date
    amounts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws, in units of the view box."""

    layers: Sequence[Layer]
    lines: Sequence[Line]
    days: Sequence[Day]
    is_empty: bool
    width: int = WIDTH
    height: int = HEIGHT


def draw_stacked(
    items: Sequence[UsageOfDay], metrics: Sequence[str], *, begin: date, end: date, at_least: int = 1
) -> Chart:
    """Draw metrics by day from ``begin`` up to, but not with, ``end``, one area on another; a day without a figure has 0."""
    amounts: dict[tuple[date, str], int] = {(one.day, one.metric): one.amount for one in items}
    days = [begin + timedelta(days=number) for number in range((end - begin).days)]
    rows = [Day(day, [amounts.get((day, metric), 0) for metric in metrics]) for day in days]
    top = _round_up(max([at_least, *(sum(row.amounts) for row in rows)]))
    layers, below = [], [0] * len(rows)
    for number, metric in enumerate(metrics):
        above = [base + row.amounts[number] for base, row in zip(below, rows, strict=True)]
        layers.append(Layer(metric, _area(below, above, top)))
        below = above
    lines = [Line(_y(top * part // 2, top), top * part // 2) for part in (0, 1, 2)]
    return Chart(layers, lines, list(reversed(rows)), is_empty=not any(below))


def _area(below: Sequence[int], above: Sequence[int], top: int) -> str:
    xs = [LEFT + (WIDTH - LEFT) * number / max(1, len(above) - 1) for number in range(len(above))]
    there = [f"{x:.1f},{_y(amount, top):.1f}" for x, amount in zip(xs, above, strict=True)]
    back = [f"{x:.1f},{_y(amount, top):.1f}" for x, amount in zip(xs, below, strict=True)]
    return " ".join([*there, *reversed(back)])


def _y(amount: int, top: int) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - amount / top)


def _round_up(amount: int) -> int:
    """Give the next of 1, 2, 4, 8… times a power of 1024: lines of the grid then say round sizes."""
    unit = 1
    while amount > unit:
        unit *= 2
    return unit


def share(part: int, whole: int) -> int:
    """Give a share in whole per cent, at most 100; of nothing, everything."""
    return 100 if whole <= 0 else min(100, part * 100 // whole)


def sum_of(items: Sequence[UsageOfDay], metrics: Sequence[str]) -> Mapping[str, int]:
    """Add up flows over all days."""
    return {metric: sum(one.amount for one in items if one.metric == metric) for metric in metrics}
