"""Publishing: events leave with the transaction that makes them true, numbered as its very last statement.

The counter row is locked until the commit is durable, so numbers are dense and follow the order of commits: a reader that has
seen n has every m < n. Taken last, the lock is held for one fsync: taken first it costs five times
the throughput, and a plain sequence instead of it lost 1371 of 3017 rows to a reader.
"""

from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError
from psycopg.errors import NotNullViolation

from bitvault.events import sql
from bitvault.events.cursors import open_cursors
from bitvault.events.message import Event
from bitvault.events.models import StreamHead
from bitvault.events.nudges import nudge
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import ProgrammingError
from bitvault.kernel.request import Origin, current_origin, current_request_id


class StreamMissing(ProgrammingError):
    """The entered tenant has no stream: it was not made by ``identity.create_tenant``."""


def publish(event: Event, *, tenant_id: UUID | None = None) -> None:
    """Add an event to the open write transaction; it exists if and only if that commits.

    :param tenant_id: whose stream it goes to; the entered tenant's, unless a change of a person concerns several. Only a public
        transaction may write another tenant's stream.
    :raises NoTransaction: no write transaction is open.
    :raises NoTenant: no tenant is entered or named.
    """
    tx = db.require_writing()
    tx.pending_events.append((tenant_id or tenancy.current().id, event))
    tx.before_commit(_append)


def _append(tx: db.Transaction) -> None:
    """Number and insert the transaction's events: one statement for each stream, the last ones before the commit."""
    streams: dict[UUID, list[Event]] = {}
    for tenant_id, event in tx.pending_events:
        streams.setdefault(tenant_id, []).append(event)
    present = tenancy.find_current()
    # In the order of their ids, so that two transactions that write the same streams never wait for each other.
    *others, last = sorted(streams)
    for tenant_id in (*others, last):
        seq = _write(tx, tenant_id, streams[tenant_id], is_last=tenant_id == last)
        if present is not None and present.id == tenant_id:
            tx.seq = seq
        tx.after_commit(partial(nudge, tenant_id))


def _write(tx: db.Transaction, tenant_id: UUID, events: list[Event], *, is_last: bool) -> int:
    origin = current_origin()
    parameters: dict[str, Any] = {
        "tenant_id": tenant_id,
        "count": len(events),
        "occurred_at": clock.now(),
        "request_id": current_request_id(),
        "address": origin.address,
        "device_id": origin.device_id,
        "token_id": origin.token_id,
        "ids": [ids.new_id() for _ in events],
        "types": [event.type for event in events],
        "actor_ids": [_find_actor(event, origin) for event in events],
        "payloads": [msgspec.json.encode(_describe(event, origin)).decode() for event in events],
    }
    try:
        rows = tx.run_last(sql.PUBLISH, parameters) if is_last else _run(parameters)
    except IntegrityError as error:
        # Of the number, and not of what travels in the same message (`run_with_next`).
        if isinstance(error.__cause__, NotNullViolation) and error.__cause__.diag.column_name == "seq":
            raise StreamMissing("the tenant has no row in events_stream_head") from error
        raise
    return max(int(row[0]) for row in rows)


def _find_actor(event: Event, origin: Origin) -> UUID | None:
    """Tell who has done it: an operator who looks at the tenant as a member is told of by themselves."""
    is_member = origin.operator_id is not None and event.actor_id == origin.on_behalf_of
    return origin.operator_id if is_member else event.actor_id


def _describe(event: Event, origin: Origin) -> dict[str, Any]:
    return event.payload() | ({"on_behalf_of": str(origin.on_behalf_of)} if origin.on_behalf_of else {})


def _run(parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with db.prepared_cursor() as cursor:
        cursor.execute(sql.PUBLISH, parameters)
        return list(cursor.fetchall())


def open_stream(tenant_id: UUID) -> None:
    """Begin the stream of a new tenant, with a cursor for every consumer, inside the transaction that makes it."""
    StreamHead.objects.create(tenant_id=tenant_id)
    open_cursors(tenant_id)
