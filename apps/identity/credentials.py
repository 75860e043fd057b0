"""Secrets of programs: how a token is written, and how a secret is compared with the hash that is kept of it."""

import hashlib
import hmac
import re
from uuid import UUID

from apps.identity.errors import InvalidToken
from bitvault.kernel import ids

PREFIX = "bv"
"""Starts each token, so that scanners of leaked secrets can know one."""

HASH_BYTES = hashlib.sha256().digest_size

_TOKEN = re.compile(rf"{PREFIX}_([0-9a-f]{{32}})_([A-Za-z0-9_-]{{43}})")


def hash_secret(secret: str) -> bytes:
    """Compute what is kept of a secret. It has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def verify(secret: str, kept: bytes | memoryview | str | None) -> bool:
    """Tell whether ``kept`` is the hash of ``secret``, in constant time; nothing, or half a hash, matches nothing."""
    if kept is None or isinstance(kept, str) or len(kept) != HASH_BYTES or not secret:
        return False
    return hmac.compare_digest(hash_secret(secret), bytes(kept))


def write_token(token_id: UUID, secret: str) -> str:
    """Write a token as its holder gets it."""
    return f"{PREFIX}_{token_id.hex}_{secret}"


def read_token(text: str) -> tuple[UUID, str]:
    """Split a token into id and secret.

    :raises InvalidToken: it is not written like one.
    """
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise InvalidToken
    return UUID(match[1]), match[2]


def new_secret() -> str:
    """Make the secret of a token or ticket."""
    return ids.new_secret()
