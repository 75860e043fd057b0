"""SYNC-2: three devices, the real code of files, events and sync, and one seeded scheduler that decides what happens next."""

from tests.simulation.scheduling import Report, run
from tests.simulation.shrinking import shrink

__all__ = ["Report", "run", "shrink"]
