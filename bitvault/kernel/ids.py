"""The one place that makes identifiers."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

SECRET_BYTES = 32
"""256 bits: guessing is out of reach, so a fast hash of the secret is enough to store it."""


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): unique, and rising with time, so that indexes grow at their end."""
    return uuid7()


def new_secret() -> str:
    """Make a URL-safe secret of 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)
