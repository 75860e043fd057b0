"""One after another: requests that do the same work on the same thing, across processes.

A courtesy, not a guarantee. While the store puts an object together it lists neither the parts nor the object, so a second commit of the
same upload, an instant behind the first, would miss parts that are there. It waits for the first one instead. Where the lock is lost or its
holder died, work is done twice at worst, and every step can be.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from bitvault.kernel import db, ids, tenancy

HOLD_SECONDS = 60
"""Longest turn that others know of: what a holder that died keeps, and about what a store needs for the largest object."""

WAIT_SECONDS = 5.0
"""Longest wait for a turn; then both work at once."""

POLL_SECONDS = 0.05
"""Between two looks: short against the work that is waited for."""

logger = structlog.get_logger(__name__)


@contextmanager
def taken(name: str) -> Iterator[None]:
    """Do the block's work when nobody else of this tenant does work of this name, or after five seconds all the same."""
    db.forbid_transaction("waiting for a turn")
    key = tenancy.key("turn", name)
    mine = str(ids.new_id())
    try:
        _wait(key, mine)
    except RedisError as error:
        logger.warning("turn_unknown", error=type(error).__name__)
    try:
        yield
    finally:
        try:
            if cache.get(key) == mine:
                cache.delete(key)
        except RedisError as error:
            logger.warning("turn_unknown", error=type(error).__name__)


def _wait(key: str, mine: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not cache.add(key, mine, timeout=HOLD_SECONDS) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
