"""Archives that somebody asked for: announced with the room that they take, made by a job, signed for, and deleted when they expire.

A try works under an id of its own. The one before it is deleted first, whatever it has left; what a process that died, or stood still,
leaves beside that is found by the reconciler. The row says last that an archive is ready, so it is so once.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum
from prometheus_client import Counter

from apps.storage import disk, dtos, durability, keys, objects, parts, places, provider
from apps.storage.errors import ArchiveGone, ArchivesFull, NeedsLonger, StoreUnavailable
from apps.storage.models import Archive
from apps.storage.operations import packing, starting
from apps.storage.small_objects import GET_LIFETIME
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids

KEPT_FOR = timedelta(hours=24)
"""How long an archive can be fetched: a day to come back to a large one, and no second copy of a tenant's files for longer."""

ARCHIVES_LIMIT_BYTES = 200 * 1024**3
"""Bytes of all archives of a tenant that are kept at a time: two of the largest. They are not charged, so something bounds them."""

BATCH = 100

LOOK_SECONDS = 0.5

ASSEMBLY_SECONDS = 600.0
"""How long a store may need to put the parts of one together."""

ARCHIVE_BYTES = Counter("bitvault_archive_bytes_total", "Bytes of archives, by what was done", ["outcome"])


def announce(*, archive_id: UUID, filename: str, measure: tuple[int, int, int], purpose: dict[str, Any]) -> None:
    """Write down that an archive is wanted, if there is room for it.

    :param measure: how many entries it has, and bytes of their paths and of their contents.
    :raises ArchivesFull: the archives that are kept leave too little.
    :raises StoreFull: the disk of the store does.
    """
    count, path_bytes, content_bytes = measure
    size_bytes = packing.bound(count=count, path_bytes=path_bytes, size_bytes=content_bytes)
    disk.let_in(places.current(), archive_id, parts.lay_out(size_bytes))
    now = clock.now()
    with db.write_transaction(lock="archives"):
        kept_bytes = Archive.objects.filter(expires_at__gt=now).aggregate(total=Sum("size_bytes"))["total"] or 0
        if kept_bytes + size_bytes > ARCHIVES_LIMIT_BYTES:
            raise ArchivesFull(limit_bytes=ARCHIVES_LIMIT_BYTES, kept_bytes=kept_bytes, needed_bytes=size_bytes)
        Archive.objects.create(
            id=archive_id,
            purpose=purpose,
            filename=filename,
            size_bytes=size_bytes,
            created_at=now,
            expires_at=now + KEPT_FOR,
        )


def make(*, archive_id: UUID, entries: Sequence[dtos.ArchiveEntry]) -> dtos.KeptArchive:
    """Make an archive that was announced, from its beginning; one that is ready stays as it is.

    The running job is told how many bytes are packed; that may end it.

    :raises ArchiveGone: it has expired.
    :raises StoreFull: the disk has filled up meanwhile.
    """
    row = _get(archive_id)
    if row.ready_at is not None:
        return _to_dto(row)
    if row.try_id is not None:
        starting.remove_all(row.try_id, row.store_id)
    count, path_bytes = len(entries), sum(len(entry.path.encode()) for entry in entries)
    content_bytes = sum(entry.size_bytes for entry in entries)
    layout = parts.lay_out(packing.bound(count=count, path_bytes=path_bytes, size_bytes=content_bytes))
    store_id = places.current()
    disk.require_free(store_id, disk.needed_of(layout))
    try_id = ids.new_id()
    with db.write_transaction():
        Archive.objects.filter(id=archive_id, ready_at=None).update(
            try_id=try_id, store_id=store_id, expires_at=clock.now() + KEPT_FOR, size_bytes=layout.size_bytes
        )

    def tell(done_bytes: int) -> None:
        disk.announce(store_id, archive_id, layout)
        jobs.report_progress(done_bytes)

    try:
        packed = _write(try_id, store_id, entries, layout, tell)
    except Exception:
        starting.remove_all(try_id, store_id)
        raise
    finally:
        disk.withdraw(store_id, archive_id, layout)
    now = clock.now()
    with db.write_transaction():
        is_mine = Archive.objects.filter(id=archive_id, try_id=try_id).update(
            size_bytes=packed.size_bytes, ready_at=now, expires_at=now + KEPT_FOR
        )
    if not is_mine:
        starting.remove_all(try_id, store_id)
    else:
        ARCHIVE_BYTES.labels("made").inc(packed.size_bytes)
    return _to_dto(_get(archive_id), packed.missing_count)


def _write(
    try_id: UUID,
    store_id: UUID | None,
    entries: Sequence[dtos.ArchiveEntry],
    layout: parts.Layout,
    report: Callable[[int], None],
) -> packing.Packed:
    """Write the object of a try, and compare what the store says of it."""
    store, key = provider.store_of(store_id), keys.archive_key(try_id)
    store_upload_id = store.create_multipart_upload(key)
    packed = packing.pack(
        store,
        entries,
        key=key,
        store_upload_id=store_upload_id,
        part_bytes=layout.part_size_bytes,
        report=report,
    )
    try:
        store.complete_multipart_upload(key=key, store_upload_id=store_upload_id, parts=packed.parts)
    except NeedsLonger:
        deadline = time.monotonic() + ASSEMBLY_SECONDS
        while store.find_object(key) is None and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
    found = store.find_object(key)
    checksum = objects.composite_of(packed.content_hash, packed.part_count)
    if found is None or (found.size_bytes, found.checksum) != (packed.size_bytes, checksum):
        raise StoreUnavailable("The object store does not hold the archive as it was written.")
    durability.flush(store_id)
    return packed


def get(archive_id: UUID) -> dtos.KeptArchive:
    """Describe an archive.

    :raises ArchiveGone: it has expired.
    """
    return _to_dto(_get(archive_id))


def _get(archive_id: UUID) -> Archive:
    with db.read_transaction():
        row = Archive.objects.filter(id=archive_id, expires_at__gt=clock.now()).first()
    if row is None:
        raise ArchiveGone
    return row


def _to_dto(row: Archive, missing_count: int = 0) -> dtos.KeptArchive:
    return dtos.KeptArchive(
        id=row.id,
        purpose=row.purpose,
        size_bytes=row.size_bytes,
        is_ready=row.ready_at is not None,
        expires_at=row.expires_at,
        missing_count=missing_count,
    )


# --- collecting ------------------------------------------------------------------------------------------------------------


def is_anything_due(now: datetime) -> bool:
    """Tell whether an archive is to be deleted (inside a transaction)."""
    return _expired(now).exists()


def remove_expired() -> int:
    """Delete the archives that nobody can fetch any more, once their URLs are dead; returns how many."""
    now, count = clock.now(), 0
    while True:
        with db.read_transaction():
            rows = list(_expired(now).order_by("expires_at")[:BATCH])
        for row in rows:
            if row.try_id is not None:
                starting.remove_all(row.try_id, row.store_id)
        with db.write_transaction():
            Archive.objects.filter(id__in=[row.id for row in rows]).delete()
        count += len(rows)
        ARCHIVE_BYTES.labels("deleted").inc(sum(row.size_bytes for row in rows if row.ready_at is not None))
        if len(rows) < BATCH:
            return count


def _expired(now: datetime) -> QuerySet[Archive]:
    return Archive.objects.filter(expires_at__lt=now - GET_LIFETIME)
