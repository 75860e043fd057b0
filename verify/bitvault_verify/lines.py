"""The lines of an export, and the bytes of them that are hashed and signed.

An entry's hash is ``SHA-256(domain ‖ hash before ‖ canonical JSON)``: sorted keys, no spaces, UTF-8. Python's ``json`` writes what BitVault
hashed, but for numbers with a fraction, which other programs may write in another way: those keep the text that they have in the export.
"""

import hashlib
import json
from json.encoder import encode_basestring
from typing import Any

ENTRY_DOMAIN = b"bitvault.audit.v1\x00"
ANCHOR_DOMAIN = b"bitvault.audit.anchor.v1\x00"
END_DOMAIN = b"bitvault.audit.end.v1\x00"
FIRST = bytes(32)
"""What stands in for the hash before the first entry, and for the anchor before the first anchor."""

HASH_BYTES = 32
_ENTRY_FIELDS = frozenset(
    (
        *("number", "seq", "event_id", "type", "occurred_at", "actor_id", "node_id", "address", "device_id"),
        *("request_id", "payload", "previous_hash", "hash"),
    )
)
_HASHES_LENGTH = len(b',"previous_hash":"","hash":""') + 4 * HASH_BYTES
"""By how many bytes a line is longer than what is hashed of it."""


class Unfit(Exception):
    """A line is none of an export's; says why."""


class _Verbatim(str):
    """A number as it is written in the export."""

    __slots__ = ()


class Reader:
    """Reads lines. ``json`` is asked for its C scanner once: a line costs some 10 µs."""

    def __init__(self) -> None:
        self._has_fractions = False
        self._decode = json.JSONDecoder(parse_float=self._keep, parse_constant=_refuse).decode
        self._encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

    def _keep(self, text: str) -> _Verbatim:
        self._has_fractions = True
        return _Verbatim(text)

    def read(self, line: bytes) -> dict[str, Any]:
        """Parse a line.

        :raises Unfit: it is no JSON object.
        """
        self._has_fractions = False
        try:
            found = self._decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise Unfit("the line is cut short or no JSON") from error
        if not isinstance(found, dict):
            raise Unfit("the line is no JSON object")
        return found

    def encode(self, value: dict[str, Any]) -> bytes:
        """Write what ``read`` has just given, or a part of it, as it is hashed and signed."""
        text = _write(value) if self._has_fractions else self._encode(value)
        return text.encode("utf-8", "surrogatepass")


class Entry:
    """An entry of the log: its number, both hashes, and what its content hashes to after any other hash."""

    __slots__ = ("_canonical", "computed", "digest", "line", "number", "previous", "type")

    def __init__(self, reader: Reader, line_number: int, line: bytes, found: dict[str, Any]) -> None:
        if found.keys() != _ENTRY_FIELDS:
            raise Unfit("the fields are not those of an entry")
        self.line = line_number
        self.previous = read_bytes(found.pop("previous_hash"), HASH_BYTES)
        self.digest = read_bytes(found.pop("hash"), HASH_BYTES)
        number = found["number"]
        if type(number) is not int or number < 1:
            raise Unfit("the number is none")
        self.number: int = number
        self.type = str(found["type"])
        self._canonical = reader.encode(found)
        if len(line) != len(self._canonical) + _HASHES_LENGTH:
            raise Unfit("the line holds something beside the entry")

        self.computed = self.hash_after(self.previous)
        """What its content hashes to after the hash that it names."""

    def hash_after(self, previous: bytes) -> bytes:
        """Compute the entry's hash."""
        return hashlib.sha256(ENTRY_DOMAIN + previous + self._canonical).digest()

    @property
    def fits_itself(self) -> bool:
        """Whether its hash is that of its content after the hash that it names."""
        return self.computed == self.digest


def read_bytes(text: object, length: int) -> bytes:
    """Read lower-case hexadecimal.

    :raises Unfit: it is something else, or of another length.
    """
    try:
        found = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        found = b""
    if len(found) != length or found.hex() != text:
        raise Unfit("a hash, key or signature is none")
    return found


def _refuse(text: str) -> None:
    raise ValueError(text)


def _write(value: Any) -> str:
    if isinstance(value, _Verbatim):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{_write(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
