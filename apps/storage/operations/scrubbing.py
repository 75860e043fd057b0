"""The scrubber: objects are read again and hashed, so that what has rotted on a disk is known while a backup still has it.

Whose bytes are others than were verified goes into quarantine: nobody downloads it, and no upload takes it over or builds upon it.
Operators are told. An object that is put back from a backup is whole at its next reading, which ends the quarantine.
What was made of content comes when that is done (``scrubbing_derived``).
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from apps.storage import parts, provider
from apps.storage.config import SCRUB_DAYS
from apps.storage.errors import StoreUnavailable
from apps.storage.models import Blob, FindingKind, RunKind, RunState
from apps.storage.operations import scrubbing_derived
from apps.storage.operations.noting import Notes
from apps.storage.queries import READABLE
from bitvault.kernel import clock, db

BATCH = 200

SECONDS = 1200.0
"""Time of one run for one tenant; what it does not come to is due the next day."""

logger = structlog.get_logger(__name__)


class _Due(NamedTuple):
    id: UUID
    read_at: datetime
    key: str
    size_bytes: int
    part_size_bytes: int
    part_hashes: bytes
    is_damaged: bool
    store_id: UUID | None


def scrub(
    *,
    is_dry: bool = False,
    blob_id: UUID | None = None,
    everything: bool = False,
    report: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Read what was not read for long, the longest first, and what is in quarantine; returns what was found, by name.

    :param is_dry: only find; nothing is put into quarantine, and all of it stays due.
    :param blob_id: read this one alone.
    :param everything: read all of it, whenever it was read last, however long that takes.
    """
    notes = Notes(RunKind.SCRUB, is_dry=is_dry)
    deadline = time.monotonic() + SECONDS
    begun_at = clock.now()
    count, last = 0, None
    try:
        while due := _list_due(begun_at, blob_id=blob_id, everything=everything, after=last):
            for blob in due:
                count += 1
                _check(blob, notes, is_dry=is_dry)
                report(count)
            last = due[-1]
            if time.monotonic() > deadline and not everything:
                break
        if blob_id is None:
            scrubbing_derived.scrub(
                notes, is_dry=is_dry, everything=everything, deadline=deadline, report=lambda more: report(count + more)
            )
    except BaseException:
        notes.end(RunState.FAILED, reason="The run did not come to its end; what is left is still due.")
        raise
    notes.end()
    return notes.counts


def _list_due(begun_at: datetime, *, blob_id: UUID | None, everything: bool, after: _Due | None) -> list[_Due]:
    """Read the next blobs that are due, by when they were read last."""
    read_at = Coalesce(F("verified_at"), F("created_at"))
    blobs = Blob.objects.filter(state__in=READABLE).annotate(read_at=read_at).filter(read_at__lt=begun_at)
    if blob_id is not None:
        blobs = blobs.filter(id=blob_id)
    elif not everything:
        days = SCRUB_DAYS.get()
        if not days:
            return []
        blobs = blobs.filter(Q(read_at__lt=begun_at - timedelta(days=days)) | Q(damaged_at__isnull=False))
    if after is not None:
        blobs = blobs.filter(Q(read_at__gt=after.read_at) | Q(read_at=after.read_at, id__gt=after.id))
    columns = ("id", "read_at", "key", "size_bytes", "part_size_bytes", "part_hashes", "damaged_at", "store_id")
    with db.read_transaction():
        rows = list(blobs.order_by("read_at", "id").values_list(*columns)[:BATCH])
    return [
        _Due(blob_id, read_at, key, size, part_size, bytes(hashes), damaged_at is not None, store_id)
        for blob_id, read_at, key, size, part_size, hashes, damaged_at, store_id in rows
    ]


def _check(blob: _Due, notes: Notes, *, is_dry: bool) -> None:
    """Read one object, a second time where it differs: a broken line is no broken disk."""
    try:
        what = _compare(blob) and _compare(blob)
    except StoreUnavailable:
        notes.count("unreadable")
        logger.warning("object_unreadable", blob_id=str(blob.id))
        return
    notes.count("read")
    notes.count("read_bytes", blob.size_bytes)
    now = clock.now()
    if what:
        logger.error("object_damaged", blob_id=str(blob.id), what=what)
        kind = FindingKind.MISSING if what == MISSING else FindingKind.CORRUPT
        notes.find(
            kind,
            key=blob.key,
            blob_id=blob.id,
            size_bytes=blob.size_bytes,
            detail=what,
            outcome="reported" if is_dry else "quarantined",
        )
    elif blob.is_damaged:
        notes.find(FindingKind.RECOVERED, key=blob.key, blob_id=blob.id, outcome="reported" if is_dry else "released")
    if not is_dry:
        with db.write_transaction():
            row = Blob.objects.filter(id=blob.id, state__in=READABLE)
            row.update(verified_at=now, damaged_at=Coalesce(F("damaged_at"), now) if what else None)


MISSING = "it is not there"


def _compare(blob: _Due) -> str:
    """Read an object and hash its parts; returns what is wrong with it, ``""`` for nothing."""
    hasher = _PartHasher(blob.part_size_bytes)
    if not provider.store_of(blob.store_id).read_object(blob.key, hasher.take):
        return MISSING
    digests, size_bytes = hasher.end()
    if size_bytes != blob.size_bytes:
        return f"it has {size_bytes} bytes"
    wrong = [
        number
        for number in range(1, len(blob.part_hashes) // parts.DIGEST_BYTES + 1)
        if parts.digest_at(digests, number) != parts.digest_at(blob.part_hashes, number)
    ]
    return f"parts {', '.join(map(str, wrong[:20]))} of it have other bytes" if wrong else ""


class _PartHasher:
    """Hashes bytes as they come, part by part."""

    def __init__(self, part_size_bytes: int) -> None:
        self._part_size_bytes = part_size_bytes
        self._digests = b""
        self._hash = hashlib.sha256()
        self._room = part_size_bytes
        self._size_bytes = 0

    def take(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size_bytes += len(chunk)
        view = memoryview(chunk)
        while len(view) >= self._room:
            self._hash.update(view[: self._room])
            view = view[self._room :]
            self._close()
        self._hash.update(view)
        self._room -= len(view)

    def end(self) -> tuple[bytes, int]:
        """Give the digests of all parts and how many bytes they were; an empty object is one part."""
        if self._room < self._part_size_bytes or not self._digests:
            self._close()
        return self._digests, self._size_bytes

    def _close(self) -> None:
        self._digests += self._hash.digest()
        self._hash = hashlib.sha256()
        self._room = self._part_size_bytes
