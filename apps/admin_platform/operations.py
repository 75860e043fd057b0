"""Writing the audit log: many entries in one append, numbered and chained."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from apps.admin_platform import chain, sql
from apps.admin_platform.models import AuditHead
from bitvault.events.api import Published
from bitvault.kernel import clock, ids
from bitvault.kernel.request import current_origin, current_request_id

CONSUMER = "audit"
"""Under which name the log reads the stream."""


_COLUMNS = (*chain.FIELDS, "previous_hash", "hash")


Entry = dict[str, Any]
"""A row of the log by its columns, before it has its number and hashes."""


def entry_of(published: Published) -> Entry:
    """Give the entry of an event of the stream."""
    node_id = published.payload.get("node_id")
    return {
        "seq": published.seq,
        "event_id": published.id,
        "type": published.type,
        "occurred_at": published.occurred_at,
        "actor_id": published.actor_id,
        "node_id": UUID(node_id) if isinstance(node_id, str) else None,
        "address": published.address or "",
        "device_id": published.device_id,
        "request_id": published.request_id or "",
        "payload": published.payload,
    }


def entry_without_event(
    *, event_type: str, actor_id: UUID | None, node_id: UUID | None, payload: dict[str, Any]
) -> Entry:
    """Give an entry that no event stands for (something denied), as of now and this request."""
    origin = current_origin()
    return {
        "seq": None,
        "event_id": ids.new_id(),
        "type": event_type,
        "occurred_at": clock.now(),
        "actor_id": actor_id,
        "node_id": node_id,
        "address": origin.address or "",
        "device_id": origin.device_id,
        "request_id": current_request_id() or "",
        "payload": payload,
    }


def append(entries: Sequence[Entry]) -> None:
    """Number, chain and insert entries in the open transaction: the head's row is locked from here to the commit."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_HEAD, [chain.FIRST])
        number, digest = cursor.fetchone()
        digest = bytes(digest)
        for entry in entries:
            number += 1
            entry["number"] = number
            entry["previous_hash"], digest = digest, chain.next_hash(digest, entry)
            entry["hash"] = digest
        columns = [[_value(entry, name) for entry in entries] for name in _COLUMNS]
        cursor.execute(sql.APPEND, columns)
    AuditHead.objects.filter(pk=1).update(number=number, hash=digest)


def _value(entry: Entry, name: str) -> Any:
    if name == "payload":
        return msgspec.json.encode(entry[name]).decode()
    return entry[name]
