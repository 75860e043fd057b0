"""Lanes: which work waits for which. Each is a Celery queue, with workers of its own where an installation can have them."""

from typing import Final

SHORT: Final = "jobs"
"""Work of seconds that somebody waits for."""

BULK: Final = "bulk"
"""Work that grows with a tenant and may take hours."""

LANES: Final = (SHORT, BULK)
"""Names of lanes and of their queues."""
