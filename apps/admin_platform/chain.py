"""The hash chain of the audit log: what makes an altered, inserted, removed or reordered entry show.

``hash(n) = SHA-256(domain ‖ hash(n-1) ‖ canonical bytes of entry n)``. The canonical bytes are JSON with sorted keys and no spaces, so
that anybody can compute them from an export. A chain alone does not show that its tail was cut off: the number and hash of the head do.
"""

import hashlib
from typing import Any

import msgspec

DOMAIN = b"bitvault.audit.v1\x00"
FIRST = bytes(32)
"""What stands in for the hash before the first entry."""

FIELDS = (
    "number",
    "seq",
    "event_id",
    "type",
    "occurred_at",
    "actor_id",
    "node_id",
    "address",
    "device_id",
    "request_id",
    "payload",
)


def canonical(entry: dict[str, Any]) -> bytes:
    """Give the bytes of an entry that are hashed."""
    return msgspec.json.encode({name: entry[name] for name in FIELDS}, order="sorted")


def next_hash(previous: bytes, entry: dict[str, Any]) -> bytes:
    """Compute the hash of an entry that follows ``previous``."""
    return hashlib.sha256(DOMAIN + previous + canonical(entry)).digest()
