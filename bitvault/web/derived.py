"""Reading what is derived: how far it has come, and waiting until it has come far enough.

A mutation answers with its number in ``BitVault-Seq``. A read of derived data takes it as ``min_seq`` and answers as of at least that
number, or, when the derivation does not come so far in ``wait_ms``, with 202 and how far it is: never silently with something older. A
number that the stream does not have is refused, since nobody knows whether it will ever come.

Who waits holds a thread, so one of each process does; others get their 202 at once and ask again.
"""

import time
from collections.abc import Callable
from typing import Annotated

import msgspec

from bitvault.events.api import WAIT_LIMIT_MS, wait_for
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import BitVaultError, Overloaded
from bitvault.web.structs import Query

RETRY_AFTER_SECONDS = 1
"""When to ask again: consumers are called at once for whoever waits, and take some hundredths of a second."""

_POLL_SECONDS = 0.05

_waiting = Dependency("further position", share=1)
"""As for consumers: one thread of a process waits."""


class Lagging(BitVaultError):
    """The derivation has not come as far as the caller asked; ``as_of_seq`` tells how far it is. Not an error: 202."""

    code = "platform.lagging"
    status = 202
    title = "This is still being worked out; ask again in a moment"


class DerivedQuery(Query, frozen=True):
    """What every read of derived data takes besides its own filters."""

    min_seq: Annotated[int, msgspec.Meta(ge=0)] = 0
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=WAIT_LIMIT_MS)] = 0


def require_position(consumer: str, query: DerivedQuery, *, further: Callable[[], int] | None = None) -> None:
    """Wait for a consumer as the query says; who names no number takes the answer as it is.

    :param further: tells how far something has come that follows the consumer, such as an index elsewhere; it is waited for as well.
    :raises Lagging: it has not come to ``min_seq`` in time, or another request is waiting already.
    :raises BeyondHead: the tenant's stream has not come to ``min_seq``.
    """
    if not query.min_seq:
        return
    until = time.monotonic() + query.wait_ms / 1000
    position = wait_for(consumer, query.min_seq, wait_ms=query.wait_ms)
    if further is not None and position >= query.min_seq:
        position = _wait_further(further, query.min_seq, until=until)
    if position < query.min_seq:
        raise Lagging(as_of_seq=position, retry_after_seconds=RETRY_AFTER_SECONDS)


def _wait_further(further: Callable[[], int], seq: int, *, until: float) -> int:
    position = further()
    if position >= seq or time.monotonic() >= until:
        return position
    try:
        with _waiting.held():
            while position < seq and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)
                position = further()
    except Overloaded:
        return position
    return position
