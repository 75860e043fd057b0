"""What the installation signs of an audit log: anchors, and the ends of exports.

The key is derived from ``BITVAULT_AUDIT_KEY``, or from the installation's secret key: who can rewrite the database cannot sign.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

ANCHOR_DOMAIN = b"bitvault.audit.anchor.v1\x00"
END_DOMAIN = b"bitvault.audit.end.v1\x00"


def public_key() -> bytes:
    """Give the public half of the key that signs now."""
    return _key(settings.BITVAULT_AUDIT_KEY).public_key().public_bytes_raw()


def message_of(domain: bytes, facts: Mapping[str, Any]) -> bytes:
    """Give the bytes that are signed: canonical JSON, as the chain's own."""
    return domain + msgspec.json.encode(dict(facts), order="sorted")


def sign(message: bytes) -> bytes:
    """Sign."""
    return _key(settings.BITVAULT_AUDIT_KEY).sign(message)


def is_good(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is the key's over a message."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def mark_of(message: bytes, signature: bytes) -> bytes:
    """Give what the next anchor names as the one before it."""
    return hashlib.sha256(message + signature).digest()


@lru_cache(maxsize=4)
def _key(secret: str) -> Ed25519PrivateKey:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"bitvault.audit.anchor")
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret.encode()))
