"""How a file is cut into parts, and how the hashes of its parts make the hash of the file.

``content_hash`` is SHA-256 over the concatenated SHA-256 digests of the parts: what S3 calls a composite checksum, so the store computes
the same value from the bytes that it received. A file of one part, an empty one included, follows the same rule.
"""

import hashlib
from dataclasses import dataclass

from apps.storage.errors import FileTooLarge, PartOutOfRange

MIB = 1024 * 1024

PART_BYTES = 8 * MIB
"""Size of a part: above S3's least (5 MiB), small enough that a broken connection costs little and that a device hashes it in memory."""

PART_LIMIT = 10_000
"""Parts of one object; S3's own limit."""

FILE_LIMIT_BYTES = 5 * 1024**4
"""The largest object of S3."""

DIGEST_BYTES = 32
UNKNOWN = bytes(DIGEST_BYTES)
"""Stands for the hash of a part that nobody has announced yet; no content is known, or will be, to have it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one file is cut: all parts have ``part_size_bytes``, but for the last one."""

    size_bytes: int
    part_size_bytes: int
    part_count: int

    def require(self, number: int) -> None:
        """Refuse a number that no part has.

        :raises PartOutOfRange: it is not between 1 and ``part_count``.
        """
        if not 1 <= number <= self.part_count:
            raise PartOutOfRange(
                "The file has parts 1 to %(part_count)s, not %(number)s.", part_count=self.part_count, number=number
            )

    def offset_of(self, number: int) -> int:
        """Tell where a part begins."""
        return (number - 1) * self.part_size_bytes

    def length_of(self, number: int) -> int:
        """Tell how many bytes a part has."""
        return min(self.part_size_bytes, self.size_bytes - self.offset_of(number))


def lay_out(size_bytes: int) -> Layout:
    """Cut a file of this size: parts of 8 MiB, or of as many whole MiB as keep it within 10,000 parts.

    :raises FileTooLarge: no store takes such an object.
    """
    if size_bytes > FILE_LIMIT_BYTES:
        raise FileTooLarge(limit_bytes=FILE_LIMIT_BYTES)
    part_size = PART_BYTES
    if size_bytes > PART_BYTES * PART_LIMIT:
        part_size = -(-size_bytes // (PART_LIMIT * MIB)) * MIB
    return Layout(size_bytes=size_bytes, part_size_bytes=part_size, part_count=max(1, -(-size_bytes // part_size)))


def content_hash(part_hashes: bytes) -> bytes:
    """Compute the hash of a file from the concatenated digests of all its parts."""
    return hashlib.sha256(part_hashes).digest()


def digest_at(part_hashes: bytes, number: int) -> bytes:
    """Take the digest of one part out of the concatenation; ``UNKNOWN`` past its end."""
    return part_hashes[(number - 1) * DIGEST_BYTES : number * DIGEST_BYTES] or UNKNOWN


def unknown_numbers(part_hashes: bytes, part_count: int) -> list[int]:
    """List the parts whose digest nobody has announced."""
    return [number for number in range(1, part_count + 1) if digest_at(part_hashes, number) == UNKNOWN]


def merge(part_hashes: bytes, announced: dict[int, bytes]) -> bytes:
    """Write digests into the concatenation, which grows as far as it must."""
    if not announced:
        return part_hashes
    merged = bytearray(part_hashes.ljust(max(announced) * DIGEST_BYTES, b"\0"))
    for number, digest in announced.items():
        merged[(number - 1) * DIGEST_BYTES : number * DIGEST_BYTES] = digest
    return bytes(merged)
