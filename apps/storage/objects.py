"""What the store says of objects and parts, and how it writes digests."""

import base64
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the store says of an object; ``checksum`` as S3 writes it (base64, composites end in ``-<parts>``)."""

    size_bytes: int
    checksum: str | None


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in the store's inventory."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that the store holds for an unfinished multipart upload."""

    number: int
    size_bytes: int
    etag: str
    modified_at: datetime
    checksum: str | None


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that the store will accept from whoever holds it."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


def checksum_of(digest: bytes) -> str:
    """Write a digest as S3 does."""
    return base64.b64encode(digest).decode()


def composite_of(digest: bytes, part_count: int) -> str:
    """Write the hash of a file of several parts as S3 does."""
    return f"{checksum_of(digest)}-{part_count}"
