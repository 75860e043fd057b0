"""The one place that reads the time of day, so that a test can set it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_fixed: ContextVar[datetime | None] = ContextVar("bitvault_fixed_time", default=None)

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def now() -> datetime:
    """Tell the present moment in UTC."""
    return _fixed.get() or datetime.now(UTC)


def to_utc(moment: datetime) -> datetime:
    """Give an aware moment in UTC. One that lies there before the year 1 or after 9999 becomes that end: devices send such as data."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _EARLIEST if moment.year == _EARLIEST.year else _LATEST


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
