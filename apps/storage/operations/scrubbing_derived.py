"""The scrubber's second part: what was made of content is read again too. What has rotted is dropped, and made anew when asked for."""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db.models import F
from django.db.models.functions import Coalesce

from apps.storage import keys, provider
from apps.storage.config import SCRUB_DAYS
from apps.storage.errors import StoreUnavailable
from apps.storage.models import DerivedObject, FindingKind
from apps.storage.operations import deriving
from apps.storage.operations.noting import Notes
from bitvault.kernel import clock, db

BATCH = 200

logger = structlog.get_logger(__name__)


class _Due(NamedTuple):
    id: UUID
    read_at: datetime
    content_hash: bytes
    size_bytes: int
    digest: bytes | None
    store_id: UUID | None


def scrub(notes: Notes, *, is_dry: bool, everything: bool, deadline: float, report: Callable[[int], None]) -> None:
    """Read what was not read for long, the longest first, until the time is over.

    :param deadline: of the monotonic clock; with ``everything`` it takes however long it takes.
    """
    begun_at, last, count = clock.now(), None, 0
    while due := _list_due(begun_at, everything=everything, after=last):
        for one in due:
            if time.monotonic() > deadline and not everything:
                return
            count += 1
            _check(one, notes, is_dry=is_dry)
            report(count)
        last = due[-1]


def _list_due(begun_at: datetime, *, everything: bool, after: _Due | None) -> list[_Due]:
    before = begun_at
    if not everything:
        days = SCRUB_DAYS.get()
        if not days:
            return []
        before -= timedelta(days=days)
    read_at = Coalesce(F("verified_at"), F("ready_at"))
    found = DerivedObject.objects.filter(ready_at__isnull=False).annotate(read_at=read_at).filter(read_at__lt=before)
    with db.read_transaction():
        rows = found.order_by("read_at", "id").values_list(
            "id", "read_at", "content_hash", "size_bytes", "digest", "store_id"
        )
        if after is not None:
            rows = rows.filter(read_at__gte=after.read_at).exclude(read_at=after.read_at, id__lte=after.id)
        return [
            _Due(
                derived_id,
                read_at,
                bytes(content_hash),
                size_bytes,
                None if digest is None else bytes(digest),
                store_id,
            )
            for derived_id, read_at, content_hash, size_bytes, digest, store_id in rows[:BATCH]
        ]


def _check(one: _Due, notes: Notes, *, is_dry: bool) -> None:
    """Read one object, a second time where it differs: a broken line is no broken disk."""
    try:
        what, digest = _compare(one)
        if what:
            what, digest = _compare(one)
    except StoreUnavailable:
        notes.count("derived_unreadable")
        logger.warning("derived_unreadable", derived_id=str(one.id))
        return
    notes.count("derived_read")
    notes.count("derived_read_bytes", one.size_bytes)
    if what:
        # Whoever makes it chooses the names, and takes the next best of them while one is missing: all of the content goes.
        if not is_dry and not deriving.drop(one.id, content_hash=one.content_hash):
            return  # it was replaced or deleted while it was read
        logger.error("derived_damaged", derived_id=str(one.id), what=what)
        notes.find(
            FindingKind.DERIVED,
            key=keys.derived_key(one.id),
            size_bytes=one.size_bytes,
            detail=what,
            outcome="reported" if is_dry else "dropped",
        )
    elif not is_dry:
        with db.write_transaction():
            DerivedObject.objects.filter(id=one.id).update(verified_at=clock.now(), digest=digest)


def _compare(one: _Due) -> tuple[str, bytes]:
    """Read an object; returns what is wrong with it, ``""`` for nothing, and its digest. Where none is kept, its size is compared."""
    hasher, size_bytes = hashlib.sha256(), 0

    def take(chunk: bytes) -> None:
        nonlocal size_bytes
        size_bytes += len(chunk)
        hasher.update(chunk)

    if not provider.store_of(one.store_id).read_object(keys.derived_key(one.id), take):
        return "it is not there", b""
    digest = hasher.digest()
    if size_bytes != one.size_bytes:
        return f"it has {size_bytes} bytes", digest
    return "it has other bytes" if one.digest not in (None, digest) else "", digest
