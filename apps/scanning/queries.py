"""Reads of scanning."""

from collections.abc import Collection
from contextlib import nullcontext
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db.models import Q

from apps.scanning import dtos
from apps.scanning.errors import NotInQuarantine
from apps.scanning.models import Content, ContentState, Rule
from bitvault.kernel import clock, db, pages
from bitvault.kernel.pages import Page
from bitvault.kernel.scanning import Mode, ScanRule, Unscanned

_PURPOSE = "scanning.quarantine"

_FOUND = (ContentState.INFECTED, ContentState.RELEASED)


def find_rule() -> ScanRule:
    """Read the entered tenant's rule (``kernel.scanning``): inside an open transaction, or in one of its own."""
    with nullcontext() if db.find_open() else db.read_transaction():
        row = Rule.objects.values_list("mode", "unscanned").first()
    return ScanRule() if row is None else ScanRule(cast("Mode", row[0]), cast("Unscanned", row[1]))


def find_content(content_hash: str) -> Content | None:
    """Read what is known of a content."""
    with db.read_transaction():
        return Content.objects.filter(content_hash=content_hash).first()


def list_contents(content_hashes: Collection[str]) -> dict[str, Content]:
    """Read what is known of contents, by their hashes."""
    with db.read_transaction():
        return {row.content_hash: row for row in Content.objects.filter(content_hash__in=content_hashes)}


def is_anything_found() -> bool:
    """Tell whether something was ever found and is there."""
    with db.read_transaction():
        return Content.objects.filter(state__in=_FOUND).exists()


def list_due(limit: int) -> list[str]:
    """List contents that are due, the longest due first."""
    with db.read_transaction():
        due = Content.objects.filter(due_at__lte=clock.now()).order_by("due_at")
        return list(due.values_list("content_hash", flat=True)[:limit])


def require_found(content_id: UUID) -> Content:
    """Read a content in which something was found.

    :raises NotInQuarantine: there is none.
    """
    with db.read_transaction():
        row = Content.objects.filter(id=content_id, state__in=_FOUND).first()
    if row is None:
        raise NotInQuarantine
    return row


def list_found(*, cursor: str | None, limit: int) -> Page[dtos.Quarantined]:
    """List contents in which something was found, the latest first."""
    rows = Content.objects.filter(state__in=_FOUND).order_by("-scanned_at", "-id")
    if cursor is not None:
        at, last = pages.decode_cursor(_PURPOSE, cursor)
        moment = datetime.fromisoformat(at)
        rows = rows.filter(Q(scanned_at__lt=moment) | Q(scanned_at=moment, id__lt=UUID(last)))
    with db.read_transaction():
        found = list(rows[: limit + 1])
    items = [to_quarantined(row) for row in found[:limit]]
    more = None
    if len(found) > limit:
        more = pages.encode_cursor(_PURPOSE, [items[-1].found_at.isoformat(), items[-1].id.hex])
    return Page(items, more)


def to_quarantined(row: Content) -> dtos.Quarantined:
    """Give a row as the door tells it."""
    return dtos.Quarantined(
        id=row.id,
        state="infected" if row.state == ContentState.INFECTED else "released",
        signature=row.signature,
        name=row.name,
        size_bytes=row.size_bytes,
        node_id=row.node_id,
        sender_id=row.sender_id,
        found_at=cast("datetime", row.scanned_at),
        released_at=row.released_at,
        released_by=row.released_by,
        release_reason=row.release_reason,
    )
