"""The one place that makes identifiers."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

SECRET_BYTES = 32
"""256 bits: guessing is out of reach, so a fast hash of the secret is enough to store it."""


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): unique, and rising with time, so that indexes grow at their end."""
    return uuid7()


def time_of(made: UUID) -> datetime | None:
    """Tell when an id was made, to the millisecond; ``None`` when it is no UUIDv7."""
    if made.version != 7:  # noqa: PLR2004
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=made.int >> 80)


def new_secret() -> str:
    """Make a URL-safe secret of 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)
