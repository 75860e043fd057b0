"""Comparing bytes with what an inventory says of them."""

import hashlib
from collections.abc import Iterable, Iterator

from bitvault.backup.errors import Damaged
from bitvault.backup.manifest import DIGEST_BYTES, KeptFile, KeptObject
from bitvault.backup.targets import Target


def parts_of(kept: KeptObject, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give the parts of an object as its pieces come, each compared with its digest.

    :raises Damaged: a part differs, or there are too few bytes or too many.
    """
    growing, number, size_bytes = bytearray(), 0, 0
    for piece in pieces:
        growing += piece
        while len(growing) >= kept.part_size_bytes:
            number += 1
            size_bytes += kept.part_size_bytes
            yield _compared(kept, number, bytes(growing[: kept.part_size_bytes]))
            del growing[: kept.part_size_bytes]
    if growing or not number:
        number += 1
        size_bytes += len(growing)
        yield _compared(kept, number, bytes(growing))
    if size_bytes != kept.size_bytes:
        raise Damaged(f"{kept.key} has {size_bytes} bytes and should have {kept.size_bytes}.")


def _compared(kept: KeptObject, number: int, body: bytes) -> bytes:
    if hashlib.sha256(body).digest() != kept.part_hashes[(number - 1) * DIGEST_BYTES : number * DIGEST_BYTES]:
        raise Damaged(f"Part {number} of {kept.key} has other bytes than were verified when it came.")
    return body


def compare_file(target: Target, file: KeptFile) -> None:
    """Read a file of a backup and compare its hash.

    :raises Damaged: it is not as it was written, or not there.
    """
    digest = hashlib.sha256()
    try:
        for piece in target.read(file.name):
            digest.update(piece)
    except FileNotFoundError:
        raise Damaged(f"{file.name} is not there.") from None
    if digest.hexdigest() != file.sha256:
        raise Damaged(f"{file.name} is not as it was written.")
