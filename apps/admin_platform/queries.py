"""Reading the audit log."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.admin_platform import chain, dtos
from apps.admin_platform.models import AuditEntry, AuditHead
from bitvault.kernel import pages

_PURPOSE = "admin_platform.audit"
_STEP = 2000
"""Entries read at once while verifying: memory against round trips."""


def list_entries(
    *,
    actor_id: UUID | None,
    event_type: str | None,
    node_id: UUID | None,
    begin: datetime | None,
    end: datetime | None,
    cursor: str | None,
    limit: int,
) -> pages.Page[dtos.AuditEntry]:
    """Read a page of the log, newest first."""
    rows = AuditEntry.objects.order_by("-number")
    filters: dict[str, Any] = {
        "actor_id": actor_id,
        "type": event_type,
        "node_id": node_id,
        "occurred_at__gte": begin,
        "occurred_at__lt": end,
    }
    rows = rows.filter(**{name: value for name, value in filters.items() if value is not None})
    if cursor is not None:
        rows = rows.filter(number__lt=pages.decode_cursor(_PURPOSE, cursor)[0])
    found = [_to_entry(row) for row in _columns(rows)[: limit + 1]]
    more = len(found) > limit
    items = found[:limit]
    return pages.Page(items, pages.encode_cursor(_PURPOSE, [items[-1].number]) if more else None)


def list_for_export(*, after: int, limit: int) -> list[dtos.AuditEntry]:
    """Read entries in the order of the chain."""
    rows = AuditEntry.objects.filter(number__gt=after).order_by("number")
    return [_to_entry(row) for row in _columns(rows)[:limit]]


def verify() -> dtos.Verification:
    """Recompute the chain from its first entry to its head."""
    row = AuditHead.objects.values_list("number", "hash").first()
    head = (row[0], bytes(row[1])) if row else (0, chain.FIRST)
    digest, number = chain.FIRST, 0
    for *facts, before, after in _walk():
        entry = dict(zip(chain.FIELDS, facts, strict=True))
        previous, stored = bytes(before), bytes(after)
        if entry["number"] != number + 1:
            return _result(head, number, entry["number"], f"entry {number + 1} is missing")
        number += 1
        if previous != digest:
            return _result(head, number, number, "the hash before it is another")
        digest = chain.next_hash(digest, entry)
        if digest != stored:
            return _result(head, number, number, "its content does not give its hash")
    if (number, digest) != head:
        return _result(head, number, number + 1, "entries at the end are missing")
    return _result(head, number, None, None)


def _result(head: tuple[int, bytes], count: int, broken_at: int | None, reason: str | None) -> dtos.Verification:
    return dtos.Verification(
        intact=broken_at is None,
        entry_count=count,
        broken_at=broken_at,
        reason=reason,
        head_number=head[0],
        head_hash=head[1].hex(),
        as_of_seq=0,
    )


def _walk() -> Iterator[tuple[Any, ...]]:
    last = 0
    while True:
        rows = list(_columns(AuditEntry.objects.filter(number__gt=last).order_by("number"))[:_STEP])
        yield from rows
        if len(rows) < _STEP:
            return
        last = rows[-1][0]


def _columns(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry, tuple[Any, ...]]:
    return rows.values_list(*chain.FIELDS, "previous_hash", "hash")


def _to_entry(row: tuple[Any, ...]) -> dtos.AuditEntry:
    *facts, previous, digest = row
    named = dict(zip(chain.FIELDS, facts, strict=True))
    return dtos.AuditEntry(**named, previous_hash=bytes(previous).hex(), hash=bytes(digest).hex())
