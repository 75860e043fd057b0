"""Anchors: signed sayings of the installation about the chain's head, every five minutes in which it moved.

They are chained among themselves by ``previous``, so a signature speaks for all anchors before it as well. Signatures are therefore
verified where a run of anchors ends: at the last one, where the chain is broken, and where the key changes.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bitvault_verify import ed25519
from bitvault_verify.lines import ANCHOR_DOMAIN, END_DOMAIN, FIRST, HASH_BYTES, Reader, Unfit, read_bytes

Verify = Callable[[bytes, bytes, bytes], bool]
"""Takes key, message and signature."""

_ANCHOR_FIELDS = frozenset(("index", "number", "hash", "anchored_at", "previous", "public_key", "signature"))
_END_FIELDS = frozenset(("number", "hash", "exported_at", "public_key", "signature"))


def find_verify() -> Verify:
    """Give the function that verifies: of ``cryptography`` where that is installed, else our own, forty times slower."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return ed25519.verify

    def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify


@dataclass(frozen=True)
class Signed:
    """An anchor, or the end of an export: what it says of the chain, and the signature under it."""

    line: int
    index: int
    number: int
    digest: bytes
    said_at: str
    previous: bytes
    public_key: bytes
    signature: bytes
    message: bytes

    @property
    def mark(self) -> bytes:
        """What the next anchor names as the one before it."""
        return hashlib.sha256(self.message + self.signature).digest()


def read_anchor(reader: Reader, line: int, found: dict[str, Any], tenant_id: str) -> Signed:
    """Read what a line says of an anchor.

    :raises Unfit: it is none.
    """
    return _read(reader, line, found, tenant_id, _ANCHOR_FIELDS, ANCHOR_DOMAIN)


def read_end(reader: Reader, line: int, found: dict[str, Any], tenant_id: str) -> Signed:
    """Read the last line of an export.

    :raises Unfit: it is none.
    """
    return _read(reader, line, found, tenant_id, _END_FIELDS, END_DOMAIN)


def _read(reader: Reader, line: int, found: object, tenant_id: str, fields: frozenset[str], domain: bytes) -> Signed:
    if not isinstance(found, dict) or found.keys() != fields:
        raise Unfit("the fields are not those of an anchor")
    numbers = found.get("index", 0), found["number"]
    if any(type(one) is not int or one < 0 for one in numbers):
        raise Unfit("a number of an anchor is none")
    signed = {**found, "tenant_id": tenant_id}
    signature = read_bytes(signed.pop("signature"), ed25519.SIGNATURE_BYTES)
    return Signed(
        line=line,
        index=numbers[0],
        number=numbers[1],
        digest=read_bytes(found["hash"], HASH_BYTES),
        said_at=str(found.get("anchored_at", found.get("exported_at"))),
        previous=read_bytes(found.get("previous", FIRST.hex()), HASH_BYTES),
        public_key=read_bytes(found["public_key"], ed25519.KEY_BYTES),
        signature=signature,
        message=domain + reader.encode(signed),
    )


class Anchors:
    """Follows the anchors of an export, in constant memory."""

    def __init__(self, trusted: frozenset[bytes], verify: Verify) -> None:
        self._trusted, self._verify = trusted, verify
        self._last: Signed | None = None
        self.count = 0
        self.keys: set[bytes] = set()

    def follow(self, anchor: Signed) -> Iterator[tuple[int, str]]:
        """Take the next anchor; gives what is amiss, each with its line."""
        last, self._last = self._last, anchor
        self.count += 1
        expected = 1 if last is None else last.index + 1
        previous = FIRST if last is None else last.mark
        if anchor.index != expected:
            yield (
                anchor.line,
                f"anchor {anchor.index} stands where anchor {expected} should: anchors are missing, moved or repeated",
            )
        elif anchor.previous != previous:
            yield anchor.line, f"anchor {anchor.index} does not follow the one before it: one of both was altered"
        elif last is None or last.public_key == anchor.public_key:
            return
        if last is not None:
            yield from self.check(last)

    def end(self) -> Iterator[tuple[int, str]]:
        """Say what is amiss of the last anchor."""
        if self._last is not None:
            yield from self.check(self._last)

    def check(self, signed: Signed) -> Iterator[tuple[int, str]]:
        """Verify a signature."""
        self.keys.add(signed.public_key)
        what = f"anchor {signed.index}" if signed.index else "the end of the export"
        if self._trusted and signed.public_key not in self._trusted:
            yield signed.line, f"{what} is signed with a key that is not trusted"
        elif not self._verify(signed.public_key, signed.message, signed.signature):
            yield signed.line, f"the signature of {what} is false"
