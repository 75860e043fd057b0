"""Nudges: after a commit its consumers are called at once instead of at the next turn of the relay.

A nudge is a hint and may be lost with the process that owes it; the relay is the promise. While a consumer's message for a tenant
waits to be taken, further commits send no other one: the consumer will read their events too.
"""

from uuid import UUID

import structlog
from celery import current_app
from django.core.cache import cache
from redis.exceptions import RedisError

from bitvault.events import consuming, relay

WAITING_SECONDS = 2
"""How long a message is taken to wait unless its consumer says otherwise; a lost one costs no more than the relay's turn after it."""

logger = structlog.get_logger(__name__)


def nudge(tenant_id: UUID) -> None:
    """Call every consumer of a tenant's stream that is not called already."""
    try:
        for consumer in consuming.list_consumers():
            if cache.add(_key(consumer, tenant_id), 1, timeout=WAITING_SECONDS):
                relay.call(current_app.send_task, consumer, tenant_id)
    except (RedisError, OSError) as error:
        logger.info("nudge_lost", error=type(error).__name__)


def admit(consumer: str, tenant_id: UUID) -> None:
    """Note that a consumer has taken its message and is about to read."""
    try:
        cache.delete(_key(consumer, tenant_id))
    except (RedisError, OSError) as error:
        logger.info("nudge_lost", error=type(error).__name__)


def _key(consumer: str, tenant_id: UUID) -> str:
    return f"{tenant_id.hex}:nudge:{consumer}"
