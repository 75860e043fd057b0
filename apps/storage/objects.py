"""What the store says of objects and parts."""

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
