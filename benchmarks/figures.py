"""Figures, the goals they are held against, and the table that shows them."""

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What BitVault must reach, in the figure's unit, or as a share of the physical rate."""

    limit: float
    side: Literal["least", "most"]
    of: Literal["value", "ratio"] = "value"

    def reached(self, value: float) -> bool:
        return value >= self.limit if self.side == "least" else value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.side == "least" else "≤"
        return f"{sign} {_number(self.limit)}{' of it' if self.of == 'ratio' else ''}"


def at_least(limit: float) -> Goal:
    return Goal(limit, "least")


def at_most(limit: float) -> Goal:
    return Goal(limit, "most")


def share_at_least(limit: float) -> Goal:
    return Goal(limit, "least", of="ratio")


def share_at_most(limit: float) -> Goal:
    return Goal(limit, "most", of="ratio")


@dataclass(frozen=True, slots=True)
class Physical:
    """What the machine below BitVault gives for the same work in the same run."""

    value: float
    what: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None
    physical: Physical | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        if self.physical is None or not self.physical.value:
            return None
        return self.value / self.physical.value

    @property
    def reached(self) -> bool | None:
        if self.goal is None:
            return None
        judged = self.ratio if self.goal.of == "ratio" else self.value
        return judged is not None and self.goal.reached(judged)


HEAD = ("figure", "value", "unit", "the machine itself, same run", "ratio", "goal", "reached")


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out as a table that reads as Markdown too."""
    rows = [_cells(figure) for figure in figures]
    widths = [max(len(row[column]) for row in [HEAD, *rows]) for column in range(len(HEAD))]
    lines = [_line(HEAD, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def _cells(figure: Figure) -> tuple[str, ...]:
    physical = f"{_number(figure.physical.value)} ({figure.physical.what})" if figure.physical else ""
    return (
        figure.name,
        _number(figure.value),
        figure.unit,
        physical,
        f"{figure.ratio:.2f}" if figure.ratio is not None else "",
        str(figure.goal) if figure.goal else "",
        {True: "yes", False: "NO", None: ""}[figure.reached],
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def machine() -> dict[str, Any]:
    """Describe where the figures come from."""
    from bitvault.stack.postgresql import MAJOR_VERSION

    lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = Path("/proc/meminfo").read_text().split()[1]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": models[0] if models else platform.machine(),
        "cores": len(models) or 1,
        "memory_gib": round(int(memory) / 1024**2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": MAJOR_VERSION,
    }


def write_json(path: Path, figures: Sequence[Figure], extra: dict[str, Any]) -> None:
    """Keep everything that was measured, the facts behind each figure included."""
    rows = [{**asdict(figure), "ratio": figure.ratio, "reached": figure.reached} for figure in figures]
    path.write_text(json.dumps({"machine": machine(), "figures": rows, **extra}, indent=1, default=str) + "\n")
