"""The door of the event backbone.

``publish`` is no ordinary door: it runs inside the caller's transaction on purpose, for an event is part of the change it tells of. The
same holds for a consumer's function, which runs inside the transaction that moves its cursor.
"""

from bitvault.events.consumer import ConsumerTransaction
from bitvault.events.consuming import (
    call_promptly,
    cannot_be_rebuilt,
    consumes,
    consumes_batch,
    rebuilds,
)
from bitvault.events.cursors import (
    WAIT_LIMIT_MS,
    BeyondHead,
    answer_with_head,
    ensure_cursors,
    get_head,
    get_position,
    is_outdated,
    list_published,
    lock_position,
    wait_for,
)
from bitvault.events.message import Event, Published, find_event
from bitvault.events.operating import RebuildOvertaken, set_position
from bitvault.events.outbox import open_stream, publish

__all__ = [
    "WAIT_LIMIT_MS",
    "BeyondHead",
    "ConsumerTransaction",
    "Event",
    "Published",
    "RebuildOvertaken",
    "answer_with_head",
    "call_promptly",
    "cannot_be_rebuilt",
    "consumes",
    "consumes_batch",
    "ensure_cursors",
    "find_event",
    "get_head",
    "get_position",
    "is_outdated",
    "list_published",
    "lock_position",
    "open_stream",
    "publish",
    "rebuilds",
    "set_position",
    "wait_for",
]
