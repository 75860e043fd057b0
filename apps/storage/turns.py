"""One after another: whoever does the same work on the same thing, across processes.

A courtesy, not a guarantee. While the store puts an object together it lists neither the parts nor the object, so a second commit of the
same upload, an instant behind the first, would miss parts that are there. Where the lock is lost or its holder died, work is done twice at
worst, and every step can be.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from bitvault.kernel import db, ids, tenancy
from bitvault.kernel.deadlines import is_background
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded

HOLD_SECONDS = 20
"""How long a turn lasts unless it is renewed: longer than a request works on one, and what a holder that died keeps."""

RENEW_SECONDS = 5.0
"""How often a worker, whose work may take minutes, renews its turn."""

WAIT_SECONDS = 1.0
"""Longest wait of a request for a turn: nearly all work that others do first is over by then."""

POLL_SECONDS = 0.05
"""Between two looks: short against the work that is waited for."""

_WAITING = Dependency("upload_turn", share=1)
"""Threads of a web process that wait for a turn; others are told at once that somebody is at it."""

logger = structlog.get_logger(__name__)


@contextmanager
def taken(name: str) -> Iterator[bool]:
    """Do the block's work when nobody else of this tenant does work of this name; gives whether that is so.

    A request waits a second for its turn, a worker does not. Where nobody can tell, the turn is given.
    """
    db.forbid_transaction("waiting for a turn")
    key = tenancy.key("turn", name)
    mine = str(ids.new_id())
    try:
        is_mine = cache.add(key, mine, timeout=HOLD_SECONDS) or (not is_background() and _wait(key, mine))
    except RedisError as error:
        logger.warning("turn_unknown", error=type(error).__name__)
        yield True
        return
    if not is_mine:
        yield False
        return
    over = threading.Event()
    if is_background():
        threading.Thread(target=_keep, args=(key, over), daemon=True).start()
    try:
        yield True
    finally:
        over.set()
        try:
            if cache.get(key) == mine:
                cache.delete(key)
        except RedisError as error:
            logger.warning("turn_unknown", error=type(error).__name__)


def _wait(key: str, mine: str) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        with _WAITING.held():
            while time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                if cache.add(key, mine, timeout=HOLD_SECONDS):
                    return True
    except Overloaded:
        pass
    return False


def _keep(key: str, over: threading.Event) -> None:
    while not over.wait(RENEW_SECONDS):
        try:
            cache.touch(key, HOLD_SECONDS)
        except RedisError as error:
            logger.warning("turn_unknown", error=type(error).__name__)
