"""Reading the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.admin_platform import chain, dtos
from apps.admin_platform.models import AuditEntry, AuditHead
from bitvault.kernel import pages

_PURPOSE = "admin_platform.audit"


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


def get_head() -> tuple[int, bytes]:
    """Read number and hash of the last entry, as the head says."""
    row = AuditHead.objects.values_list("number", "hash").first()
    return (row[0], bytes(row[1])) if row else (0, chain.FIRST)


def list_links(*, after: int, limit: int) -> list[tuple[dict[str, Any], bytes, bytes]]:
    """Read entries in the order of the chain: what is hashed, the hash before, the hash."""
    rows = _columns(AuditEntry.objects.filter(number__gt=after).order_by("number"))[:limit]
    return [
        (dict(zip(chain.FIELDS, facts, strict=True)), bytes(previous), bytes(digest))
        for *facts, previous, digest in rows
    ]


def count_up_to(limit: int) -> int:
    """Count entries, but no further than ``limit``."""
    return AuditEntry.objects.all()[:limit].count()


def _columns(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry, tuple[Any, ...]]:
    return rows.values_list(*chain.FIELDS, "previous_hash", "hash")


def _to_entry(row: tuple[Any, ...]) -> dtos.AuditEntry:
    *facts, previous, digest = row
    named = dict(zip(chain.FIELDS, facts, strict=True))
    return dtos.AuditEntry(**named, previous_hash=bytes(previous).hex(), hash=bytes(digest).hex())
