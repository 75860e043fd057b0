"""Writing the audit log: many entries in one append, numbered and chained as the last step of their transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from apps.admin_platform import chain
from bitvault.events.api import Published
from bitvault.kernel import clock, db, ids
from bitvault.kernel.request import current_origin, current_request_id

CONSUMER = "audit"
"""Under which name the log reads the stream."""

_PENDING = "admin_platform.audit"

_LOCK_HEAD = """
INSERT INTO admin_platform_audit_head (id, number, hash) VALUES (1, 0, %s)
ON CONFLICT (id) DO UPDATE SET number = admin_platform_audit_head.number
RETURNING number, hash
"""

_APPEND = """
INSERT INTO admin_platform_audit_entry
    (number, seq, event_id, type, occurred_at, actor_id, node_id, address, device_id, request_id, payload, previous_hash, hash)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::text[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::text[],
    %s::uuid[], %s::text[], %s::jsonb[], %s::bytea[], %s::bytea[])
"""

_COLUMNS = (*chain.FIELDS, "previous_hash", "hash")


def record_published(published: Published) -> None:
    """Add an event of the stream to the entries of the open transaction."""
    node_id = published.payload.get("node_id")
    _add(
        seq=published.seq,
        event_id=published.id,
        event_type=published.type,
        occurred_at=published.occurred_at,
        actor_id=published.actor_id,
        node_id=UUID(node_id) if isinstance(node_id, str) else None,
        address=published.address or "",
        device_id=published.device_id,
        request_id=published.request_id or "",
        payload=published.payload,
    )


def record_directly(*, event_type: str, actor_id: UUID | None, node_id: UUID | None, payload: dict[str, Any]) -> None:
    """Write one entry that no event stands for (something denied), in a transaction of its own."""
    with db.write_transaction():
        add_directly(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload)


def add_directly(*, event_type: str, actor_id: UUID | None, node_id: UUID | None, payload: dict[str, Any]) -> None:
    """Add an entry that no event stands for to those of the open transaction."""
    origin = current_origin()
    _add(
        seq=None,
        event_id=ids.new_id(),
        event_type=event_type,
        occurred_at=clock.now(),
        actor_id=actor_id,
        node_id=node_id,
        address=origin.address or "",
        device_id=origin.device_id,
        request_id=current_request_id() or "",
        payload=payload,
    )


def _add(
    *,
    seq: int | None,
    event_id: UUID,
    event_type: str,
    occurred_at: datetime,
    actor_id: UUID | None,
    node_id: UUID | None,
    address: str,
    device_id: UUID | None,
    request_id: str,
    payload: dict[str, Any],
) -> None:
    tx = db.require_writing()
    if _PENDING not in tx.slots:
        tx.before_numbering(_append)
    entries: list[dict[str, Any]] = tx.slots.setdefault(_PENDING, [])
    entries.append(
        {
            "seq": seq,
            "event_id": event_id,
            "type": event_type,
            "occurred_at": occurred_at,
            "actor_id": actor_id,
            "node_id": node_id,
            "address": address,
            "device_id": device_id,
            "request_id": request_id,
            "payload": payload,
        }
    )


def _append(tx: db.Transaction) -> None:
    """Number, chain and insert the transaction's entries: the head's row is locked from here to the commit."""
    entries: Sequence[dict[str, Any]] = tx.slots.pop(_PENDING)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_HEAD, [chain.FIRST])
        number, digest = cursor.fetchone()
        digest = bytes(digest)
        for entry in entries:
            number += 1
            entry["number"] = number
            entry["previous_hash"], digest = digest, chain.next_hash(digest, entry)
            entry["hash"] = digest
        columns = [[_value(entry, name) for entry in entries] for name in _COLUMNS]
        cursor.execute(_APPEND, columns)
        cursor.execute("UPDATE admin_platform_audit_head SET number = %s, hash = %s WHERE id = 1", [number, digest])


def _value(entry: dict[str, Any], name: str) -> Any:
    if name == "payload":
        return msgspec.json.encode(entry[name]).decode()
    return entry[name]
