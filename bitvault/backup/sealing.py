"""Sealing bytes of any length so that nobody reads or changes them without the key: AES-256-GCM in chunks, as they come.

A sealed file is ``BVS1``, a random salt of 16 bytes, and chunks of 1 MiB, each with its tag of 16 bytes. The key of a file is derived from
the key of the place, the salt and the file's name, so a file under another name does not open. The nonce of a chunk is its number and
whether it is the last one: chunks that are left out, changed, swapped or cut off do not open either (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, 2015). Nothing but a few chunks is in memory.
"""

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bitvault.backup.errors import Damaged

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"BVS1"
SALT_BYTES = 16
TAG_BYTES = 16
CHUNK_BYTES = 1024**2
"""Plain bytes of a chunk: a tag for each costs nothing, and no more than that is given away before it is proved."""

HEAD_BYTES = len(MAGIC) + SALT_BYTES
KEY_BYTES = 32
_SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES


def seal(pieces: Iterable[bytes], *, key: bytes, name: str) -> Iterator[bytes]:
    """Seal what comes, under the name that it gets.

    :param key: of the place, 32 bytes.
    """
    salt = os.urandom(SALT_BYTES)
    cipher = _cipher_of(key, salt, name)
    yield MAGIC + salt
    number, waiting = 0, bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > CHUNK_BYTES:  # the last chunk is known as such only when nothing follows
            yield cipher.encrypt(_nonce(number, is_last=False), bytes(waiting[:CHUNK_BYTES]), None)
            del waiting[:CHUNK_BYTES]
            number += 1
    yield cipher.encrypt(_nonce(number, is_last=True), bytes(waiting), None)


def unseal(pieces: Iterable[bytes], *, key: bytes, name: str) -> Iterator[bytes]:
    """Give the plain bytes of a sealed file, chunk by chunk, each proved before it is given.

    :raises Damaged: it is not what was sealed under this name with this key.
    """
    from cryptography.exceptions import InvalidTag

    cipher: AESGCM | None = None
    number, waiting = 0, bytearray()
    try:
        for piece in pieces:
            waiting += piece
            if cipher is None:
                if len(waiting) < HEAD_BYTES:
                    continue
                cipher = _open_head(waiting, key, name)
            while len(waiting) > _SEALED_CHUNK_BYTES:
                yield cipher.decrypt(_nonce(number, is_last=False), bytes(waiting[:_SEALED_CHUNK_BYTES]), None)
                del waiting[:_SEALED_CHUNK_BYTES]
                number += 1
        if cipher is None:
            raise Damaged(f"{name} is no sealed file.")
        yield cipher.decrypt(_nonce(number, is_last=True), bytes(waiting), None)
    except InvalidTag:
        raise Damaged(f"{name} is not as it was sealed.") from None


def sealed_size(size_bytes: int) -> int:
    """Tell how large a file of this many plain bytes is."""
    return HEAD_BYTES + size_bytes + TAG_BYTES * max(1, -(-size_bytes // CHUNK_BYTES))


def plain_size(size_bytes: int) -> int:
    """Tell how many plain bytes a sealed file of this size has; -1 where none has it."""
    body = size_bytes - HEAD_BYTES
    plain = body - TAG_BYTES * max(1, -(-body // _SEALED_CHUNK_BYTES))
    return plain if plain >= 0 and sealed_size(plain) == size_bytes else -1


def derive(key: bytes, *, salt: bytes, purpose: bytes, length: int = KEY_BYTES) -> bytes:
    """Derive a key for one purpose (HKDF with SHA-256)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=purpose).derive(key)


def _open_head(waiting: bytearray, key: bytes, name: str) -> "AESGCM":
    """Take the head off what has come."""
    head = bytes(waiting[:HEAD_BYTES])
    if not head.startswith(MAGIC):
        raise Damaged(f"{name} is no sealed file.")
    del waiting[:HEAD_BYTES]
    return _cipher_of(key, head[len(MAGIC) :], name)


def _cipher_of(key: bytes, salt: bytes, name: str) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(derive(key, salt=salt, purpose=b"bitvault backup file\n" + name.encode()))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")
