"""Shrinking: of the steps of a seed that fails, the fewest that still fail (ddmin)."""

from collections.abc import Callable, Sequence

from tests.simulation.scheduling import Report, run


def shrink(report: Report, again: Callable[[int, Sequence[int]], Report] = run) -> Report:
    """Leave out steps as long as the same kind of violation stays; returns the shortest failing report that was found."""
    kind, best, parts = _kind(report), report, 2
    while len(best.steps) > 1:
        size = max(1, len(best.steps) // parts)
        for begin in range(0, len(best.steps), size):
            found = again(report.seed, best.steps[:begin] + best.steps[begin + size :])
            if found.violation is not None and _kind(found) == kind:
                best, parts = found, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(len(best.steps), parts * 2)
    return best


def _kind(report: Report) -> str:
    """What is violated, without the particulars."""
    return (report.violation or "").strip().splitlines()[-1].partition(":")[0]
