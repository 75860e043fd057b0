"""What a download's answer says of itself: bytes of users are saved, never shown as a page of ours."""

import re
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from apps.storage import dtos, keys, provider, queries, rows, withholding
from apps.storage.errors import ArchiveGone, BlobDamaged, BlobGone
from apps.storage.models import Archive, Blob
from bitvault.kernel import clock, db

UNSAFE = "application/octet-stream"

SAFE_TYPES = frozenset({
    "application/epub+zip", "application/gzip", "application/json", "application/msword", "application/pdf", "application/rtf",
    "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/x-7z-compressed", "application/x-tar",
    "application/zip", "application/zstd", "audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm",
    "font/otf", "font/ttf", "font/woff", "font/woff2", "image/avif", "image/bmp", "image/gif", "image/heic", "image/heif", "image/jpeg",
    "image/png", "image/tiff", "image/webp", "text/calendar", "text/csv", "text/markdown", "text/plain", "video/mp4", "video/mpeg",
    "video/ogg", "video/quicktime", "video/webm", "video/x-matroska",
})  # fmt: skip
"""Types that are told as they are. None of them can carry script that a browser runs: HTML, SVG and XML are absent on purpose, and what is
absent is told as bytes."""

_SAFE_FAMILIES = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")

_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&'()+,\-.=@\[\]^_`{}~]")
_REVERSING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def sign(*, blob_id: UUID, filename: str, media_type: str, method: str, lifetime: timedelta) -> dtos.Download:
    """Sign a URL that saves a blob under a name."""
    found = rows.find_readable_key(blob_id)
    if found is None:
        raise BlobDamaged if queries.is_damaged(blob_id) else BlobGone
    key, scan_state, store_id = found
    withholding.require_readable(scan_state)
    signed = provider.store_of(store_id).sign_get(
        key=key,
        disposition=disposition_of(filename),
        media_type=safe_type(media_type),
        method=method,
        lifetime=lifetime,
    )
    return dtos.Download(url=signed.url, expires_at=signed.expires_at)


def sign_archive(*, archive_id: UUID, method: str, lifetime: timedelta) -> dtos.Download:
    """Sign a URL that saves an archive which is ready and has not expired."""
    with db.read_transaction():
        found = Archive.objects.filter(id=archive_id, ready_at__isnull=False, expires_at__gt=clock.now())
        row = found.values_list("try_id", "filename", "store_id").first()
    if row is None or row[0] is None:
        raise ArchiveGone
    signed = provider.store_of(row[2]).sign_get(
        key=keys.archive_key(row[0]),
        disposition=disposition_of(row[1]),
        media_type="application/zip",
        method=method,
        lifetime=lifetime,
    )
    return dtos.Download(url=signed.url, expires_at=signed.expires_at)


def read(*, blob_id: UUID, first_byte: int, limit_bytes: int, by_scanner: bool = False) -> bytes:
    """Read bytes of a blob from one on.

    :param by_scanner: whoever reads is to find out whether they may be read.
    """
    with db.read_transaction():
        found = Blob.objects.filter(id=blob_id, state__in=queries.READABLE, damaged_at__isnull=True)
        known = found.values_list("key", "size_bytes", "scan_state", "store_id").first()
    if known is None:
        raise BlobDamaged if queries.is_damaged(blob_id) else BlobGone
    key, size_bytes, scan_state, store_id = known
    if not by_scanner:
        withholding.require_readable(scan_state)
    if first_byte >= size_bytes:
        return b""  # a store refuses a range of nothing
    body = provider.store_of(store_id).read_range(key, first_byte=first_byte, limit_bytes=limit_bytes)
    if body is None:
        raise BlobGone
    return body


def safe_type(media_type: str) -> str:
    """Tell the type under which bytes may leave; parameters of a type are dropped."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare if bare in SAFE_TYPES or bare.startswith(_SAFE_FAMILIES) else UNSAFE


def disposition_of(filename: str) -> str:
    """Write ``attachment`` with the name twice (RFC 6266): plainly for old programs, percent-encoded for all others.

    Controls that reverse the direction of text are left out: with them ``exe.gpj`` reads as ``jpg.exe`` does not.
    """
    name = _REVERSING.sub("", filename)
    return f"attachment; filename=\"{_PLAIN.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
