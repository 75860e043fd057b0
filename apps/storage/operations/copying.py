"""One object from one store into another: read, compared with its hashes, written, and compared with what the other store says of it.

These run in threads, so they are given the stores and ask nothing of the database.
"""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from apps.storage import objects, parts
from apps.storage.errors import ContentMismatch
from apps.storage.operations import saving
from apps.storage.provider import ObjectStore


class Source(NamedTuple):
    """A blob as a move sees it."""

    id: UUID
    key: str
    size_bytes: int
    part_size_bytes: int
    part_hashes: bytes
    content_hash: bytes
    store_id: UUID | None

    @property
    def part_count(self) -> int:
        """In how many parts it was sent."""
        return len(self.part_hashes) // parts.DIGEST_BYTES

    @property
    def checksum(self) -> str:
        """What a store says of it, if it holds it whole."""
        is_composite = self.key.endswith("/m")
        return (
            objects.composite_of(self.content_hash, self.part_count)
            if is_composite
            else objects.checksum_of(self.part_hashes)
        )


def is_whole(source: Source, store: ObjectStore) -> bool:
    """Tell whether a store says of an object that it is this blob, by size and checksum."""
    found = store.find_object(source.key)
    return found is not None and (found.size_bytes, found.checksum) == (source.size_bytes, source.checksum)


def copy(source: Source, *, home: ObjectStore, target: ObjectStore) -> None:
    """Bring a blob into another store, unless it is there.

    :raises FileNotFoundError: it is not in its own.
    :raises ContentMismatch: it is not what its row says.
    :raises StoreUnavailable: one of the stores does not answer.
    """
    if is_whole(source, target):
        return
    saving.write_to(target, source.key, part_hashes=source.part_hashes, bodies=_read(source, home))
    if not is_whole(source, target):
        raise ContentMismatch("The other store does not hold the object as it was written.")


def _read(source: Source, home: ObjectStore) -> Iterator[bytes]:
    """Read the parts of a blob, one after another."""
    layout = parts.Layout(source.size_bytes, source.part_size_bytes, source.part_count)
    for number in range(1, source.part_count + 1):
        length = layout.length_of(number)
        if not length:
            if home.find_object(source.key) is None:
                raise FileNotFoundError(source.key)
            yield b""
            continue
        body = home.read_range(source.key, first_byte=layout.offset_of(number), limit_bytes=length)
        if body is None or len(body) != length:
            raise FileNotFoundError(source.key)
        yield body
