"""Reading what is derived: how far it has come, and waiting until it has come far enough.

A mutation answers with its number in ``BitVault-Seq``. A read of derived data takes it as ``min_seq`` and answers as of at least that
number, or, when the derivation does not come so far in ``wait_ms``, with 202 and how far it is: never silently with something older.
"""

from typing import Annotated

import msgspec

from bitvault.events.api import WAIT_LIMIT_MS, wait_for
from bitvault.kernel.errors import BitVaultError
from bitvault.web.views import Query


class Lagging(BitVaultError):
    """The derivation has not come as far as the caller asked; ``as_of_seq`` tells how far it is. Not an error: 202."""

    code = "platform.lagging"
    status = 202
    title = "This is still being worked out; ask again in a moment"


class DerivedQuery(Query, frozen=True):
    """What every read of derived data takes besides its own filters."""

    min_seq: Annotated[int, msgspec.Meta(ge=0)] = 0
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=WAIT_LIMIT_MS)] = 0


def require_position(consumer: str, query: DerivedQuery) -> None:
    """Wait for a consumer as the query says; who names no number takes the answer as it is.

    :raises Lagging: it has not come to ``min_seq`` in time.
    """
    if not query.min_seq:
        return
    position = wait_for(consumer, query.min_seq, wait_ms=query.wait_ms)
    if position < query.min_seq:
        raise Lagging(as_of_seq=position)
