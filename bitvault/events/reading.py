"""Reading the next events of a stream: by their numbers, which are dense, with a day's partition or two touched as a rule."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from bitvault.events import sql
from bitvault.events.message import Published

_CLOCK_SLACK = timedelta(days=1)
"""How far the next event may lie before the last one by `published_at`; keeps old partitions out of the search for it."""

_BEGINNING = datetime.fromtimestamp(0, UTC)
"""Before any event: where the search begins when it missed some, since a clock may have gone back further than ``_CLOCK_SLACK``."""


def read_next(
    cursor: Any, tenant_id: UUID, *, seq: int, published_at: datetime, limit: int, head: int
) -> tuple[list[tuple[datetime, Published]], bool]:
    """Read the events after ``seq``, each with the moment of its publication; tells also whether all of them are there.

    :param published_at: when the event ``seq`` was published.
    :param head: a number that was given before; numbers are dense, so what is not found up to it is dropped.
    """
    events = _read(cursor, tenant_id, seq, published_at - _CLOCK_SLACK, limit)
    if not _is_whole(events, seq, limit, head):
        events = _read(cursor, tenant_id, seq, _BEGINNING, limit)
    return events, _is_whole(events, seq, limit, head)


def _read(cursor: Any, tenant_id: UUID, seq: int, since: datetime, limit: int) -> list[tuple[datetime, Published]]:
    cursor.execute(sql.NEXT_EVENTS, [tenant_id, seq, since, limit])
    return [(published_at, _published(columns)) for published_at, *columns in cursor.fetchall()]


def _is_whole(events: Sequence[tuple[datetime, Published]], seq: int, limit: int, head: int) -> bool:
    last = events[-1][1].seq if events else seq
    return len(events) >= min(limit, head - seq) and last == seq + len(events)


def _published(columns: Sequence[Any]) -> Published:
    *envelope, payload, token_id = columns
    return Published(*[*envelope, msgspec.json.decode(payload), None, token_id])
