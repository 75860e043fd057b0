"""What ``benchmarks.inside`` does with backups."""

import time
from typing import Any


def take(directory: str) -> dict[str, Any]:
    """Take a backup, and another one that finds all objects there; tells what it was and how long each step took."""
    from bitvault.backup import taking
    from bitvault.backup.configured import open_configured

    target = open_configured(directory, writes=True)
    ends: dict[str, float] = {}
    begun = time.perf_counter()
    done = taking.take(target, report=lambda what, *_: ends.update({what: time.perf_counter()}))
    first = time.perf_counter()
    taking.take(target, keep=1)
    return {
        "rows": done.row_count,
        "bytes": done.object_bytes,
        "objects": done.object_count,
        "lost": done.lost_count,
        "database_seconds": ends["database"] - begun,
        "objects_seconds": ends["objects"] - ends["database"],
        "again_seconds": time.perf_counter() - first,
    }


def restore(directory: str) -> dict[str, float]:
    """Restore it into the empty installation of this environment; tells how long the rows, the objects and the proof took."""
    from bitvault.backup import manifest, restoring
    from bitvault.backup.configured import open_configured

    target = open_configured(directory, writes=False)
    ends: dict[str, float] = {}
    begun = time.perf_counter()
    restoring.restore(
        target, manifest.get(target, None), report=lambda what, *_: ends.update({what: time.perf_counter()})
    )
    return {
        "database_seconds": ends["tenants"] - begun,
        "objects_seconds": ends["objects"] - ends["tenants"],
        "seconds": time.perf_counter() - begun,
    }
