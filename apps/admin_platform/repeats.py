"""Acts that a page repeats by itself: the first is an entry, the same again within minutes is counted, and the count is an entry as well.

Nothing is lost from sight: what was asked for stands in the log, with how often. Without Valkey each one is an entry.
"""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from apps.admin_platform import denials, operations
from bitvault.kernel import db, tenancy
from bitvault.kernel.errors import Unavailable
from bitvault.web import valkey

WINDOW_SECONDS = 300
"""How long an entry speaks for the same act again."""

COUNTS_SECONDS = 7 * 86_400
"""How long counts wait for the sweep that writes them."""

# KEYS[1] holds the counts; ARGV are a field and how many of it are written now.
_SUBTRACT = """
if redis.call('HINCRBY', KEYS[1], ARGV[1], -tonumber(ARGV[2])) <= 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""

logger = structlog.get_logger(__name__)


class _Counted(msgspec.Struct, frozen=True):
    """What is counted together: an entry of its own says so."""

    event_type: str
    actor_id: UUID
    node_id: UUID | None
    payload: dict[str, Any]


def record(
    *, event_type: str, repeated_type: str, key: str, actor_id: UUID, node_id: UUID | None, payload: dict[str, Any]
) -> None:
    """Write an entry, unless one of this key was written within the last minutes: then count it.

    :param key: what makes two acts the same.
    :param repeated_type: of the entry that says how often it was.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()
    try:
        client = valkey.client()
        if not client.set(tenancy.key("audit", "repeated", digest), 1, nx=True, ex=WINDOW_SECONDS):
            counted = _Counted(repeated_type, actor_id, node_id, payload)
            client.hincrby(_counts(), msgspec.json.encode(counted, order="sorted").decode(), 1)
            client.expire(_counts(), COUNTS_SECONDS)
            return
    except (RedisError, Unavailable):
        logger.warning("repeat_not_counted", type=event_type)
    denials.record_act(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload)


def write_counts() -> int:
    """Write how often acts were repeated since the last time, an entry for each; returns how many repeats they were.

    The counts go after the entries are committed: a crash between the two tells the same ones again, and loses none.
    """
    client = valkey.client()
    counts = {_bytes(field): int(count) for field, count in client.hgetall(_counts()).items()}
    if not counts:
        return 0
    with db.write_transaction():
        operations.append([_write(field, count) for field, count in counts.items()])
    for field, count in counts.items():
        client.eval(_SUBTRACT, 1, _counts(), field, count)
    return sum(counts.values())


def _write(field: bytes, count: int) -> operations.Entry:
    found = msgspec.json.decode(field, type=_Counted)
    return operations.entry_without_event(
        event_type=found.event_type,
        actor_id=found.actor_id,
        node_id=found.node_id,
        payload={**found.payload, "count": count},
    )


def _bytes(field: bytes | str) -> bytes:
    return field.encode() if isinstance(field, str) else field


def _counts() -> str:
    return tenancy.key("audit", "repeats")
