"""The one place that reads the time of day, so that a test can set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_fixed: ContextVar[datetime | None] = ContextVar("bitvault_fixed_time", default=None)


def now() -> datetime:
    """Tell the present moment in UTC."""
    return _fixed.get() or datetime.now(UTC)


@contextmanager
def fixed_at(moment: datetime) -> Iterator[None]:
    """Hold the clock at ``moment`` (aware) inside the block; tests of expiry stand on it."""
    if moment.tzinfo is None:
        raise ValueError("the clock takes aware moments only")
    token = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(token)
