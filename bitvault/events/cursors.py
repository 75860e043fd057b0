"""Cursors: how far each consumer has come in each tenant's stream, and waiting until one has come far enough."""

import time
from uuid import UUID

from django.db import connection
from django.db.models import Subquery

from bitvault.events import consuming, nudges, sql
from bitvault.events.message import Published
from bitvault.events.models import ConsumerCursor, StreamEvent, StreamHead
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Invalid, Overloaded

WAIT_LIMIT_MS = 10_000
"""The longest that a read waits for its derivation: below the time after which proxies give up."""

_POLL_SECONDS = 0.02

_waiting = Dependency("position", share=1)
"""One thread of a process waits at a time; others are told at once how far the consumer is, and ask again."""


class BeyondHead(Invalid):
    """The number that was asked for is not in the tenant's stream; ``head_seq`` is its last one."""

    code = "events.beyond_head"
    title = "The stream has not come to this number"


def ensure_cursors() -> int:
    """Give every tenant a cursor for each consumer that is newer than it, at the beginning of its stream; returns how many.

    Days of the stream that are dropped already are not read: a consumer that needs them is rebuilt from its owner's snapshot.
    """
    names, shapes = consuming.list_consumers(), consuming.list_shapes()
    with connection.cursor() as cursor:
        cursor.execute(sql.ENSURE_CURSORS, [names, [shapes.get(name, 0) for name in names]])
        return int(cursor.rowcount)


def open_cursors(tenant_id: UUID) -> None:
    """Give a new tenant a cursor for every consumer, at the beginning of its stream."""
    now, shapes = clock.now(), consuming.list_shapes()
    cursors = [
        ConsumerCursor(consumer=name, tenant_id=tenant_id, published_at=now, shape=shapes.get(name, 0))
        for name in consuming.list_consumers()
    ]
    ConsumerCursor.objects.bulk_create(cursors, ignore_conflicts=True)


def get_position(consumer: str) -> int:
    """Tell up to which number a consumer has come in the entered tenant's stream; 0 when it has not begun."""
    rows = ConsumerCursor.objects.filter(consumer=consumer, tenant_id=tenancy.current().id)
    return rows.values_list("seq", flat=True).first() or 0


def is_outdated(consumer: str) -> bool:
    """Tell whether what a consumer keeps of the entered tenant was filled by an earlier code that kept less: it is rebuilt by itself."""
    rows = ConsumerCursor.objects.filter(consumer=consumer, tenant_id=tenancy.current().id)
    return rows.filter(shape__lt=consuming.list_shapes().get(consumer, 0)).exists()


def lock_position(consumer: str) -> int:
    """Tell up to which number a consumer has come, and keep it there until the open transaction ends."""
    db.require_writing()
    rows = ConsumerCursor.objects.select_for_update().filter(consumer=consumer, tenant_id=tenancy.current().id)
    return rows.values_list("seq", flat=True).get()


def list_published(*, after: int, limit: int) -> list[Published]:
    """List the next events of the entered tenant's stream, for a rebuild that reads the tail itself."""
    rows = StreamEvent.objects.filter(tenant_id=tenancy.current().id, seq__gt=after).order_by("seq")[:limit]
    return [consuming.published_of(row) for row in rows]


def get_head() -> int:
    """Tell the number of the last event of the entered tenant's stream."""
    return StreamHead.objects.filter(tenant_id=tenancy.current().id).values_list("last_seq", flat=True).first() or 0


def answer_with_head() -> None:
    """Let a repeated answer carry the head as its ``BitVault-Seq``: its change has that number or an older one."""
    db.latest_seq.set(get_head())


def get_progress(consumer: str) -> tuple[int, int]:
    """Tell up to which number a consumer has come in the entered tenant's stream, and the last number of the stream: one query."""
    tenant_id = tenancy.current().id
    position = ConsumerCursor.objects.filter(consumer=consumer, tenant_id=tenant_id).values("seq")[:1]
    for found, head in StreamHead.objects.filter(tenant_id=tenant_id).values_list(Subquery(position), "last_seq")[:1]:
        return found or 0, head
    return 0, 0


def wait_for(consumer: str, seq: int, *, wait_ms: int) -> int:
    """Wait until a consumer has come to ``seq``, for at most ``wait_ms``; tells how far it has come by then.

    While another thread of this process waits, it tells so at once.

    :raises BeyondHead: the stream has no such number.
    """
    position, head = get_progress(consumer)
    if seq > head:
        raise BeyondHead(head_seq=head)
    if position >= seq or wait_ms <= 0:
        return position
    nudges.nudge_one(tenancy.current().id, consumer)
    try:
        with _waiting.held():
            return _poll(consumer, seq, until=time.monotonic() + min(wait_ms, WAIT_LIMIT_MS) / 1000)
    except Overloaded:
        return position


def _poll(consumer: str, seq: int, *, until: float) -> int:
    while (position := get_position(consumer)) < seq and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return position
