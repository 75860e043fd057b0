"""Wake-ups: words over Valkey to every process that holds sockets of a tenant, said after a commit.

A word is a hint: Valkey delivers it at most once and to nobody who is not listening now. Whoever acts on one also looks for itself every
half minute, so a lost one costs time and nothing else.
"""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from bitvault.kernel.db import forbid_transaction
from bitvault.web import valkey

logger = structlog.get_logger(__name__)


class Bond(StrEnum):
    """What a socket hangs on: when that ends, so does the socket."""

    TENANT = "tenant"
    USER = "user"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a kind of credential, not one
    DEVICE = "device"


def bond(kind: Bond, thing_id: UUID) -> str:
    """Name one thing that sockets hang on; for a person it means their membership of the tenant."""
    return f"{kind.value}:{thing_id.hex}"


def head_channel(tenant_id: UUID) -> str:
    """Name the channel that says how far a tenant's changes can be read."""
    return f"{tenant_id.hex}:head"


def ended_channel(tenant_id: UUID) -> str:
    """Name the channel that says what has ended in a tenant."""
    return f"{tenant_id.hex}:ended"


def announce_head(tenant_id: UUID, seq: int) -> None:
    """Say that a tenant's changes can be read up to ``seq``."""
    _say(head_channel(tenant_id), str(seq))


def announce_ended(tenant_id: UUID, bonds: Iterable[str]) -> None:
    """Say what has ended in a tenant; sockets that hang on any of it close within a second."""
    _say(ended_channel(tenant_id), " ".join(bonds))


def _say(channel: str, text: str) -> None:
    forbid_transaction("a wake-up")
    try:
        valkey.client().publish(channel, text)
    except RedisError as error:
        logger.info("wake_up_lost", error=type(error).__name__)
