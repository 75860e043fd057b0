"""Nudges: the consumers that somebody waits for are called at once after a commit instead of at the next turn of the relay.

A nudge is a hint and may be lost with its process; the relay calls everything that was missed. While a consumer's message for a tenant
waits to be taken, further commits send no other one, because the consumer will read their events too.

A thread of its own sends nudges (``kernel.hints``): sent by each commit itself, they cost more than the commit.
"""

from collections.abc import Iterable
from uuid import UUID

import structlog
from celery import current_app
from django.core.cache import cache
from redis.exceptions import RedisError

from bitvault.events import consuming, relay
from bitvault.kernel.hints import Hinter

WAITING_SECONDS = 2
"""How long a message counts as waiting unless its consumer takes it: a lost one delays events by this much."""

logger = structlog.get_logger(__name__)


def nudge(tenant_id: UUID) -> None:
    """Have the prompt consumers of a tenant's stream called that are not called already."""
    _hinter.remember((tenant_id, None))


def nudge_one(tenant_id: UUID, consumer: str) -> None:
    """Have one consumer of a tenant's stream called, because somebody waits for it."""
    _hinter.remember((tenant_id, consumer))


def call_consumers(tenant_id: UUID, consumers: Iterable[str], *, behind_all: bool = False) -> None:
    """Call those of the consumers of a tenant's stream that are not called already.

    :param behind_all: whether whatever else waits for the same process is done first.
    """
    waiting = {_key(consumer, tenant_id): consumer for consumer in consumers}
    try:
        for key in cache.claim(waiting, timeout=WAITING_SECONDS):  # type: ignore[attr-defined] # of our own backend
            relay.call(current_app.send_task, waiting[key], tenant_id, behind_all=behind_all)
    except Exception as error:  # noqa: BLE001 - a hint that fails must not end the thread that gives all others
        logger.info("nudge_lost", error=type(error).__name__)


def _call(moved: tuple[UUID, str | None]) -> None:
    tenant_id, consumer = moved
    call_consumers(tenant_id, [consumer] if consumer else consuming.list_prompt_consumers())


_hinter = Hinter("nudges", _call)


def admit(consumer: str, tenant_id: UUID) -> None:
    """Note that a consumer has taken its message and is about to read."""
    try:
        cache.delete(_key(consumer, tenant_id))
    except (RedisError, OSError) as error:
        logger.info("nudge_lost", error=type(error).__name__)


def _key(consumer: str, tenant_id: UUID) -> str:
    return f"{tenant_id.hex}:nudge:{consumer}"
