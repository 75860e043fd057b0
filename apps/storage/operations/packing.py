"""Writing a zip of blobs into the store as it comes: read ahead in pieces, written in parts, never whole in memory or on a disk.

Nothing is compressed: most of what is large is compressed already, the rate is the store's, and the size is known before. Times are UTC, in
the field that programs take before the zone-less one of the format. Names are UTF-8. Zip64 where a size, an offset or a count needs it.
"""

import struct
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import IO, NamedTuple, cast
from uuid import UUID

from apps.storage import dtos, parts
from apps.storage.errors import StoreUnavailable
from apps.storage.models import Blob
from apps.storage.provider import ObjectStore, store_of
from apps.storage.queries import READABLE
from bitvault.kernel import db, scanning

PIECE_BYTES = 4 * 1024**2
"""How much of a blob is read at once: hides a call's cost, and can be read again where a connection breaks."""

READS_AHEAD = 4
"""Pieces that are read while others are written: what many small files need, and 16 MiB at most."""

KEYS_BATCH = 500
"""Blobs whose keys are looked up at once."""

ENTRY_BYTES = 256
"""What the format adds to a file at most, besides its path, which it holds twice."""

_FIRST_YEAR, _LAST_YEAR = 1980, 2107
_TIME_FIELD, _HAS_MODIFIED = 0x5455, 1
_TIMES = range(-(2**31), 2**31)


class Packed(NamedTuple):
    """What was written."""

    size_bytes: int
    content_hash: bytes
    part_count: int
    parts: list[tuple[int, str, bytes]]
    missing_count: int


class _Piece(NamedTuple):
    entry: dtos.ArchiveEntry
    place: tuple[ObjectStore, str] | None
    """The store and the key; ``None``: nothing is to be read, or it is not there."""
    first_byte: int
    size_bytes: int


def bound(*, count: int, path_bytes: int, size_bytes: int) -> int:
    """Tell how large an archive of so many entries is at most."""
    return size_bytes + 2 * path_bytes + ENTRY_BYTES * (count + 1)


def pack(
    store: ObjectStore,
    entries: Sequence[dtos.ArchiveEntry],
    *,
    key: str,
    store_upload_id: str,
    part_bytes: int,
    report: Callable[[int], None],
) -> Packed:
    """Write an archive as the parts of a multipart upload, which is left to be completed.

    :param report: called with the number of bytes packed so far; may raise to end it.
    """
    with (
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive-write") as writing,
        ThreadPoolExecutor(max_workers=READS_AHEAD, thread_name_prefix="archive-read") as reading,
    ):
        target = _Parts(store, key, store_upload_id, part_bytes, writing)
        packed = zipfile.ZipFile(cast("IO[bytes]", target), "w", zipfile.ZIP_STORED)
        try:
            missing_count = _write_all(packed, _read_ahead(reading, _cut(entries)), report)
            packed.close()
            return target.finish(missing_count)
        except BaseException:
            packed.fp = None  # it would write its end when it is collected
            for pool in (reading, writing):
                pool.shutdown(wait=False, cancel_futures=True)
            raise


def _write_all(
    packed: zipfile.ZipFile, pieces: Iterable[tuple[_Piece, bytes | None]], report: Callable[[int], None]
) -> int:
    """Write entries as their pieces come; returns how many files were not there."""
    missing_count, done_bytes = 0, 0
    target: IO[bytes] | None = None
    for piece, body in pieces:
        entry = piece.entry
        if piece.first_byte == 0:
            if body is None:
                missing_count += 1
                continue
            info = _describe(entry)  # it tells the size, so what is large gets a header for 64 bits
            target = packed.open(info, "w")
        if target is None:
            continue  # the rest of a file that is not there
        if body is None or len(body) != piece.size_bytes:
            raise StoreUnavailable("A file went while it was packed; the archive is begun anew.")
        target.write(body)
        done_bytes += len(body)
        if piece.first_byte + piece.size_bytes >= entry.size_bytes:
            target.close()
            target = None
        report(done_bytes)
    return missing_count


def _describe(entry: dtos.ArchiveEntry) -> zipfile.ZipInfo:
    at = entry.modified_at.astimezone(UTC)
    info = zipfile.ZipInfo(entry.path + ("/" if entry.blob_id is None else ""), _to_old_time(at))
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = 3  # Unix, so that the mode counts
    info.external_attr = (0o40755 << 16 | 0x10) if entry.blob_id is None else 0o100644 << 16
    info.file_size = entry.size_bytes
    seconds = int(at.timestamp())
    if seconds in _TIMES:
        info.extra = struct.pack("<HHBi", _TIME_FIELD, 5, _HAS_MODIFIED, seconds)
    return info


def _to_old_time(at: datetime) -> tuple[int, int, int, int, int, int]:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return (_FIRST_YEAR, 1, 1, 0, 0, 0) if at.year < _FIRST_YEAR else (_LAST_YEAR, 12, 31, 23, 59, 58)
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)


def _cut(entries: Sequence[dtos.ArchiveEntry]) -> Iterator[_Piece]:
    """Cut files into pieces; folders and empty files have one of no bytes."""
    remaining = iter(entries)
    while batch := list(islice(remaining, KEYS_BATCH)):
        places = _find_places([entry.blob_id for entry in batch if entry.blob_id is not None])
        for entry in batch:
            place = places.get(entry.blob_id) if entry.blob_id is not None else None
            yield _Piece(entry, place, 0, min(PIECE_BYTES, entry.size_bytes))
            if place is not None:
                for at in range(PIECE_BYTES, entry.size_bytes, PIECE_BYTES):
                    yield _Piece(entry, place, at, min(PIECE_BYTES, entry.size_bytes - at))


def _find_places(blob_ids: Sequence[UUID]) -> dict[UUID, tuple[ObjectStore, str]]:
    if not blob_ids:
        return {}
    with db.read_transaction():
        found = Blob.objects.filter(id__in=blob_ids, state__in=READABLE, damaged_at__isnull=True)
        found = found.exclude(scan_state__in=scanning.current().withheld)
        rows = list(found.values_list("id", "key", "store_id"))
    # Here, not in the threads that read: they have no business with the database.
    stores = {store_id: store_of(store_id) for store_id in {row[2] for row in rows}}
    return {blob_id: (stores[store_id], key) for blob_id, key, store_id in rows}


def _read_ahead(pool: ThreadPoolExecutor, pieces: Iterator[_Piece]) -> Iterator[tuple[_Piece, bytes | None]]:
    """Give pieces in their order with their bytes, ``None`` where they are not there, while the next ones are read."""
    ahead: deque[tuple[_Piece, Future[bytes | None]]] = deque()
    for piece in pieces:
        ahead.append((piece, pool.submit(_read, piece)))
        if len(ahead) > READS_AHEAD:
            first, body = ahead.popleft()
            yield first, body.result()
    while ahead:
        first, body = ahead.popleft()
        yield first, body.result()


def _read(piece: _Piece) -> bytes | None:
    if piece.entry.blob_id is None:
        return b""
    if piece.place is None:
        return None
    if not piece.size_bytes:
        return b""
    store, key = piece.place
    return store.read_range(key, first_byte=piece.first_byte, limit_bytes=piece.size_bytes)


class _Parts:
    """A file that can only be written: what comes goes to the store in parts, one under way while the next one gathers."""

    def __init__(
        self, store: ObjectStore, key: str, store_upload_id: str, part_bytes: int, pool: ThreadPoolExecutor
    ) -> None:
        self._store = store
        self._key = key
        self._store_upload_id = store_upload_id
        self._part_bytes = part_bytes
        self._pool = pool
        self._gathered = bytearray()
        self._under_way: Future[str] | None = None
        self._digests: list[bytes] = []
        self._tags: list[str] = []
        self._size_bytes = 0

    def write(self, data: bytes) -> int:
        """Take bytes, and wait for the store while a part too many is there."""
        self._gathered += data
        while len(self._gathered) >= self._part_bytes:
            self._send(bytes(self._gathered[: self._part_bytes]))
            del self._gathered[: self._part_bytes]
        return len(data)

    def flush(self) -> None:
        """Do nothing: a part is sent when it is full."""

    def finish(self, missing_count: int) -> Packed:
        """Send the rest, and tell what there is."""
        if self._gathered or not self._digests:
            self._send(bytes(self._gathered))
        self._await()
        digests = b"".join(self._digests)
        named = [
            (number, tag, digest)
            for number, (tag, digest) in enumerate(zip(self._tags, self._digests, strict=True), start=1)
        ]
        return Packed(self._size_bytes, parts.content_hash(digests), len(named), named, missing_count)

    def _send(self, body: bytes) -> None:
        self._await()
        self._size_bytes += len(body)
        self._digests.append(sha256(body).digest())
        self._under_way = self._pool.submit(
            self._store.put_part,
            key=self._key,
            store_upload_id=self._store_upload_id,
            number=len(self._digests),
            body=body,
        )

    def _await(self) -> None:
        if self._under_way is not None:
            self._tags.append(self._under_way.result())
            self._under_way = None
