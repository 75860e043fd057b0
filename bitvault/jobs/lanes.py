"""Lanes: which work waits for which. A kind of job names its lane; each lane is a Celery queue, with workers of its own."""

from typing import Final

SHORT: Final = "jobs"
"""Work of seconds that somebody waits for."""

BULK: Final = "bulk"
"""Work that grows with a tenant and may take hours."""
