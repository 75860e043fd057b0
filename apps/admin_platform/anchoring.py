"""Anchors: the head of a tenant's chain, signed every five minutes in which it moved.

Whoever rewrites the whole chain and its head with the rights of the database's owner cannot sign anew, so the first anchor behind what was
rewritten does not fit any more. Anchors are chained among themselves by ``previous``, so none can be taken out of their midst.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import connection

from apps.admin_platform import chain, dtos, queries, signing
from apps.admin_platform.models import AuditAnchor
from bitvault.kernel import clock, db, pages, tenancy

_PURPOSE = "admin_platform.anchors"

logger = structlog.get_logger(__name__)


def anchor() -> bool:
    """Sign the head of the entered tenant's chain; returns whether there was something new. Three rows are read where there was not.

    A log that does not hold what the last anchor signed is not signed anew: the log of the process alarms operators.
    """
    with db.read_transaction(frozen=True):
        number, digest = queries.get_head()
        last = _find_last()
        is_kept = last is None or _is_kept(last)
    if not is_kept or (last is not None and number < last.number):
        logger.error("audit_log_rewritten", anchored_number=last.number if last else 0, head_number=number)
        return False
    if number == (last.number if last else 0):
        return False
    index, previous = (last.index + 1, mark_of(last)) if last else (1, chain.FIRST)
    now, key = clock.now(), signing.public_key()
    signature = signing.sign(_message(index, number, digest, now, previous, key))
    made = AuditAnchor(
        index=index,
        number=number,
        hash=digest,
        anchored_at=now,
        previous=previous,
        public_key=key,
        signature=signature,
    )
    with db.write_transaction():
        # Of two turns at once, the second finds the first one's anchor there.
        AuditAnchor.objects.bulk_create([made], ignore_conflicts=True)
    return True


def get_status() -> dtos.AnchorStatus:
    """Tell the last anchor, and whether it is good."""
    with db.read_transaction():
        last = _find_last()
        is_kept = last is not None and _is_kept(last)
    if last is None:
        return dtos.AnchorStatus(None, is_verified=False)
    return dtos.AnchorStatus(to_dto(last), is_verified=is_kept and is_signed(last))


def list_anchors(*, cursor: str | None, limit: int) -> pages.Page[dtos.AuditAnchor]:
    """Read a page of anchors, the newest first."""
    rows = AuditAnchor.objects.order_by("-index")
    if cursor is not None:
        rows = rows.filter(index__lt=pages.decode_cursor(_PURPOSE, cursor)[0])
    with db.read_transaction():
        found = list(rows[: limit + 1])
    items = [to_dto(row) for row in found[:limit]]
    return pages.Page(items, pages.encode_cursor(_PURPOSE, [items[-1].index]) if len(found) > limit else None)


def list_between(*, after: int, last: int | None) -> list[AuditAnchor]:
    """Read the anchors of entries after one, up to another or to the end, inside the open transaction."""
    rows = AuditAnchor.objects.filter(number__gt=after)
    return list((rows if last is None else rows.filter(number__lte=last)).order_by("index"))


def list_keys() -> list[dtos.AuditKey]:
    """List the keys under the anchors of the entered tenant, and the one that signs now."""
    current = signing.public_key()
    with db.read_transaction(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT public_key, min(number), max(number) FROM admin_platform_audit_anchor GROUP BY public_key ORDER BY 3 DESC"
        )
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    found = [dtos.AuditKey(bytes(key).hex(), bytes(key) == current, first, last) for key, first, last in rows]
    if any(key.is_current for key in found):
        return found
    return [dtos.AuditKey(current.hex(), is_current=True, first_number=None, last_number=None), *found]


def sign_end(*, number: int, digest: bytes) -> dict[str, Any]:
    """Sign where an export ends."""
    facts = {
        "number": number,
        "hash": digest.hex(),
        "exported_at": clock.now(),
        "public_key": signing.public_key().hex(),
    }
    message = signing.message_of(signing.END_DOMAIN, {**facts, "tenant_id": tenancy.current().id})
    return {**facts, "signature": signing.sign(message).hex()}


def to_dto(row: AuditAnchor) -> dtos.AuditAnchor:
    """Give an anchor as it is told and signed."""
    return dtos.AuditAnchor(
        index=row.index,
        number=row.number,
        hash=bytes(row.hash).hex(),
        anchored_at=row.anchored_at,
        previous=bytes(row.previous).hex(),
        public_key=bytes(row.public_key).hex(),
        signature=bytes(row.signature).hex(),
    )


def mark_of(row: AuditAnchor) -> bytes:
    """Give what the next anchor names as the one before it."""
    return signing.mark_of(_message_of(row), bytes(row.signature))


def is_signed(row: AuditAnchor) -> bool:
    """Tell whether an anchor's signature is good, by the key that it names."""
    return signing.is_good(bytes(row.public_key), _message_of(row), bytes(row.signature))


def _message_of(row: AuditAnchor) -> bytes:
    digest, previous, key = bytes(row.hash), bytes(row.previous), bytes(row.public_key)
    return _message(row.index, row.number, digest, row.anchored_at, previous, key)


def _message(index: int, number: int, digest: bytes, at: datetime, previous: bytes, key: bytes) -> bytes:
    facts = {
        "tenant_id": tenancy.current().id,
        "index": index,
        "number": number,
        "hash": digest.hex(),
        "anchored_at": at,
        "previous": previous.hex(),
        "public_key": key.hex(),
    }
    return signing.message_of(signing.ANCHOR_DOMAIN, facts)


def _find_last() -> AuditAnchor | None:
    return AuditAnchor.objects.order_by("-index").first()


def _is_kept(row: AuditAnchor) -> bool:
    return queries.find_hash(row.number) == bytes(row.hash)
