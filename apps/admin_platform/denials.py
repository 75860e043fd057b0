"""Entries of what was denied, bounded: whoever is denied again and again fills no log.

Each kind of denial is written for a person (or an address, where nobody is known) up to a rate, and for the tenant up to another. What is
over is counted in Valkey, by kind and person, and the count is written as one entry within minutes: an attack shows with its size.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from apps.admin_platform import operations
from bitvault.kernel import db, tenancy
from bitvault.kernel.errors import TooManyRequests, Unavailable
from bitvault.kernel.request import current_origin
from bitvault.web import throttle, valkey

PERSON_LIMIT, PERSON_SECONDS = 20, 600
"""Entries of one kind for one person: enough to see what they tried, 120 an hour at most."""

TENANT_LIMIT, TENANT_SECONDS = 1_000, 3600
"""Entries of one kind for a tenant. Addresses without a name are as many as somebody likes."""

COUNTS_SECONDS = 7 * 86_400
"""How long counts wait for the sweep that writes them."""

OMITTED = "audit.denials.omitted"
"""The type of the entry that counts what was not written: ``{"type": ..., "count": n}``."""

# KEYS[1] holds the counts; ARGV are a field and how many of it are written now.
_SUBTRACT = """
if redis.call('HINCRBY', KEYS[1], ARGV[1], -tonumber(ARGV[2])) <= 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""

logger = structlog.get_logger(__name__)


def record(*, event_type: str, actor_id: UUID | None, node_id: UUID | None, payload: dict[str, Any]) -> bool:
    """Write an entry, or count it among those that are not written; tells which."""
    who = str(actor_id) if actor_id is not None else f"address:{current_origin().address}"
    try:
        throttle.take("denials", [event_type, who], limit=PERSON_LIMIT, per_seconds=PERSON_SECONDS, guards_secret=False)
    except TooManyRequests:
        return _count(event_type, actor_id)
    try:
        throttle.take("denials", [event_type], limit=TENANT_LIMIT, per_seconds=TENANT_SECONDS, guards_secret=False)
    except TooManyRequests:
        return _count(event_type, None)
    record_act(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload)
    return True


def record_act(*, event_type: str, actor_id: UUID | None, node_id: UUID | None, payload: dict[str, Any]) -> None:
    """Write an entry, whatever else is written."""
    entry = operations.entry_without_event(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload)
    with db.write_transaction():
        operations.append([entry])


def record_several(
    *, event_type: str, actor_id: UUID | None, denials: Sequence[tuple[UUID | None, dict[str, Any]]]
) -> None:
    """Write entries for the items of one request until the limit is met, and count the others at once."""
    for number, (node_id, payload) in enumerate(denials):
        if not record(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload):
            _count(event_type, actor_id, len(denials) - number - 1)
            return


def _count(event_type: str, actor_id: UUID | None, count: int = 1) -> Literal[False]:
    try:
        client = valkey.client()
        if count:
            client.hincrby(_key(), f"{event_type}|{actor_id or ''}", count)
            client.expire(_key(), COUNTS_SECONDS)
    except (RedisError, Unavailable):
        logger.warning("denial_not_counted", type=event_type)
    return False


def write_omitted() -> int:
    """Write how many denials were not written, one entry for each kind and person; returns how many they were.

    The counts go after the entries are committed: a crash between the two tells the same ones again, and loses none.
    """
    client = valkey.client()
    counts = {_text(field): int(count) for field, count in client.hgetall(_key()).items()}
    if not counts:
        return 0
    with db.write_transaction():
        operations.append([_omitted(field, count) for field, count in counts.items()])
    for field, count in counts.items():
        client.eval(_SUBTRACT, 1, _key(), field, count)
    return sum(counts.values())


def _omitted(field: str, count: int) -> operations.Entry:
    event_type, _, actor_id = field.partition("|")
    return operations.entry_without_event(
        event_type=OMITTED,
        actor_id=UUID(actor_id) if actor_id else None,
        node_id=None,
        payload={"type": event_type, "count": count},
    )


def _text(field: bytes | str) -> str:
    return field.decode() if isinstance(field, bytes) else field


def _key() -> str:
    return tenancy.key("audit", "omitted")
