"""Reading the audit log."""

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from apps.admin_platform import chain, dtos
from apps.admin_platform.models import AuditEntry, AuditHead
from bitvault.kernel import pages

_PURPOSE = "admin_platform.audit"


def list_entries(*, wanted: dtos.AuditFilter, cursor: str | None, limit: int) -> pages.Page[dtos.AuditEntry]:
    """Read a page of the log, newest first."""
    rows = _filter(wanted).order_by("-number")
    if cursor is not None:
        rows = rows.filter(number__lt=pages.decode_cursor(_PURPOSE, cursor)[0])
    found = [_to_entry(row) for row in _columns(rows)[: limit + 1]]
    more = len(found) > limit
    items = found[:limit]
    return pages.Page(items, pages.encode_cursor(_PURPOSE, [items[-1].number]) if more else None)


def list_for_export(*, after: int, limit: int, wanted: dtos.AuditFilter = dtos.EVERYTHING) -> list[dtos.AuditEntry]:
    """Read entries in the order of the chain."""
    rows = _filter(wanted).filter(number__gt=after).order_by("number")
    return [_to_entry(row) for row in _columns(rows)[:limit]]


def _filter(wanted: dtos.AuditFilter) -> QuerySet[AuditEntry]:
    filters: dict[str, Any] = {
        "actor_id__in": wanted.actor_ids,
        "node_id": wanted.node_id,
        "address": wanted.address,
        "occurred_at__gte": wanted.begin,
        "occurred_at__lt": wanted.end,
    }
    rows = AuditEntry.objects.filter(**{name: value for name, value in filters.items() if value is not None})
    if wanted.types is not None:
        rows = rows.filter(_of_types(wanted.types))
    return rows


def _of_types(types: Collection[str]) -> Q:
    exact = [one for one in types if not one.endswith("*")]
    beginnings = [one.removesuffix("*") for one in types if one.endswith("*")]
    return reduce(or_, (Q(type__startswith=one) for one in beginnings), Q(type__in=exact))


def get_head() -> tuple[int, bytes]:
    """Read number and hash of the last entry, as the head says."""
    row = AuditHead.objects.values_list("number", "hash").first()
    return (row[0], bytes(row[1])) if row else (0, chain.FIRST)


def find_hash(number: int) -> bytes | None:
    """Read the hash of one entry, inside the open transaction; of number 0, what stands in for the hash before the first."""
    if number == 0:
        return chain.FIRST
    digest = AuditEntry.objects.filter(pk=number).values_list("hash", flat=True).first()
    return None if digest is None else bytes(digest)


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
