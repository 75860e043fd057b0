"""Reading a zip that somebody has uploaded: from the store by ranges, within limits, and nothing in it is trusted.

Names, sizes and the number of entries are what the archive says of itself until they were judged. An entry that leads out of the folder, a
link, what is encrypted and what is packed in other ways than stored and deflated is left out, each with its reason.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import IO
from uuid import UUID

import msgspec

from apps.files.errors import ArchiveTooLarge, NotAnArchive
from apps.storage import api as storage
from bitvault.kernel import names
from bitvault.kernel.names import InvalidName

ENTRIES_LIMIT = 10_000
"""Files and folders that are unpacked: each is an upload of its own, some 10 ms."""

BYTES_LIMIT = 20 * 1024**3
"""What they may have together once they are unpacked."""

RATIO_LIMIT = 100
RATIO_FREE_BYTES = 100 * 1024**2
"""So many times the archive's own size, past what any small one may have: text packs to a tenth, and only bombs to a thousandth."""

DIRECTORY_LIMIT_BYTES = 16 * 1024**2
"""Of an archive's table of contents, which is held in memory."""

DEPTH_LIMIT = 128
"""Names of a path: more than folders can be nested, so none of them is tried."""

READ_BYTES = 1024**2

TOLD_PATH_CHARACTERS = 200
"""Of the path of an entry that is left out: it is as long as whoever made the archive wanted."""

_END, _END_SIGNATURE, _COMMENT_LIMIT = struct.Struct("<4s4H2LH"), b"PK\5\6", 0xFFFF
_END64, _LOCATOR64, _IS_64 = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL"), 0xFFFFFFFF
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_OF_SYSTEMS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What systems put beside files; uploads leave it behind, too."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError, ValueError)
"""What ``zipfile`` raises about archives that are not as they should be."""


class LeftOut(msgspec.Struct, frozen=True):
    """An entry that was not extracted, with the reason: one of ours, or the code of the problem that its upload had."""

    path: str
    reason: str


class DamagedEntry(Exception):
    """The bytes of an entry are not what the archive says."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A file or a folder in an archive: where it lies there, as names that can be given here."""

    path: tuple[str, ...]
    told_path: str
    is_folder: bool
    size_bytes: int
    modified_at: datetime | None
    _open: Callable[[], IO[bytes]]

    def read(self, part_bytes: int) -> Iterator[bytes]:
        """Read it by parts; an empty one has one of no bytes. Never more than the archive says that it has.

        :raises DamagedEntry: it is not what the archive says.
        """
        count = 0
        try:
            with self._open() as packed:
                while (body := packed.read(part_bytes)) or not count:
                    yield body
                    count += len(body)
                    if not body:
                        break
        except _BROKEN as error:
            raise DamagedEntry from error
        if count != self.size_bytes:
            raise DamagedEntry


@dataclass(frozen=True, slots=True)
class Contents:
    """What is unpacked of an archive, and what is not. What systems put beside files is in neither."""

    entries: Sequence[Packed]
    left_out: Sequence[LeftOut]

    @property
    def size_bytes(self) -> int:
        """What all of it has together."""
        return sum(entry.size_bytes for entry in self.entries)


class _Stored(io.RawIOBase):
    """A blob as a file that can be read anywhere."""

    def __init__(self, blob_id: UUID, size_bytes: int) -> None:
        self._blob_id = blob_id
        self._size_bytes = size_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override] # the stubs name a protocol
        wanted = min(len(target), self._size_bytes - self._at)
        if wanted <= 0:
            return 0
        got = storage.read_content(blob_id=self._blob_id, first_byte=self._at, limit_bytes=wanted)
        target[: len(got)] = got
        self._at += len(got)
        return len(got)


def read(blob_id: UUID, size_bytes: int) -> Contents:
    """Read what an archive holds.

    :raises NotAnArchive: it is none, or damaged.
    :raises ArchiveTooLarge: unpacked it would be more than the limits, or much more than it can rightly be.
    """
    file = io.BufferedReader(_Stored(blob_id, size_bytes), READ_BYTES)
    try:
        _require_directory(file, size_bytes)
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise NotAnArchive from error
    infos = archive.infolist()
    total_bytes = sum(info.file_size for info in infos)
    limit_bytes = min(BYTES_LIMIT, RATIO_FREE_BYTES + RATIO_LIMIT * size_bytes)
    if len(infos) > ENTRIES_LIMIT or total_bytes > limit_bytes:
        raise ArchiveTooLarge(
            limit_count=ENTRIES_LIMIT, limit_bytes=limit_bytes, count=len(infos), size_bytes=total_bytes
        )
    return _judge(archive, infos)


def _require_directory(file: IO[bytes], size_bytes: int) -> None:
    """Look how large the table of contents says that it is, before it is read into memory."""
    start = max(0, size_bytes - _COMMENT_LIMIT - _END.size)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise NotAnArchive
    *_, directory_bytes, _, _ = _END.unpack_from(tail, at)
    locator = start + at - _LOCATOR64.size
    if directory_bytes == _IS_64 and locator >= 0:
        file.seek(locator)
        _, _, offset, _ = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
        file.seek(offset)
        *_, directory_bytes, _ = _END64.unpack(file.read(_END64.size))
    if directory_bytes > DIRECTORY_LIMIT_BYTES:
        raise ArchiveTooLarge(limit_count=ENTRIES_LIMIT, limit_bytes=BYTES_LIMIT)


def _judge(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]) -> Contents:
    entries: list[Packed] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()
    for info in infos:
        parts = [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".")]
        if any(part in _OF_SYSTEMS or part.startswith("._") for part in parts):
            continue
        reason = _find_reason(info, parts, seen)
        if reason is not None:
            left_out.append(LeftOut(_tell(info.filename), reason))
            continue
        seen.add("/".join(parts))
        entries.append(
            Packed(
                path=tuple(names.parse(part).text for part in parts),
                told_path=_tell(info.filename),
                is_folder=info.is_dir(),
                size_bytes=0 if info.is_dir() else info.file_size,
                modified_at=_read_time(info),
                _open=partial(archive.open, info),
            )
        )
    return Contents(entries, left_out)


def _find_reason(info: zipfile.ZipInfo, parts: Sequence[str], seen: set[str]) -> str | None:
    """Say why an entry is left out, if it is."""
    if not parts or ".." in parts or info.filename.startswith(("/", "\\")) or parts[0].endswith(":"):
        return "unsafe_path"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "link"  # or a device, a pipe, a socket: nothing of it is a file here
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if info.compress_type not in _METHODS:
        return "unknown_method"
    if len(parts) > DEPTH_LIMIT:
        return "too_deep"
    if "/".join(parts) in seen:
        return "duplicate_path"
    try:
        for part in parts:
            names.parse(part)
    except InvalidName:
        return "invalid_name"
    return None


def _tell(path: str) -> str:
    """Write a path that is not trusted so that it can be told."""
    return path[:TOLD_PATH_CHARACTERS].encode(errors="replace").decode()


def _read_time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None
