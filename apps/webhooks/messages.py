"""What is sent: the bytes of a message, its id, and the headers that sign them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from apps.webhooks import chats, public_form, signing
from apps.webhooks.models import Webhook
from bitvault.events.api import Published
from bitvault.kernel import clock, sealing, tenancy

PURPOSE = "webhooks.secret"

DATA_LIMIT = 16 * 1024
"""Bytes of an event's facts: receivers expect less than 20 kB in all. What is left out says so, and ``GET /events`` has it."""

TEST_TYPE = "webhooks.test"


def id_of(event_id: UUID) -> str:
    """Give the id by which receivers know an event: the same over tries, redeliveries, replays and webhooks."""
    return f"msg_{event_id.hex}"


def compose(webhook: Webhook, published: Published) -> bytes:
    """Give the bytes that tell a receiver of an event; the same for the same event and webhook."""
    if webhook.format != "standard":
        return chats.compose(webhook.format, published)
    event = public_form.to_public(published)
    data, is_whole = event.data, True
    if len(msgspec.json.encode(data)) > DATA_LIMIT:
        data = {name: value for name, value in data.items() if not isinstance(value, list)}
        is_whole = False
    told: dict[str, Any] = {
        "type": event.type,
        "timestamp": event.timestamp,
        "id": event.id,
        "seq": event.seq,
        "prev_seq": webhook.sent_seq,
        "tenant_id": published.tenant_id,
        "actor_id": event.actor_id,
        "data": data,
    }
    return msgspec.json.encode(told if is_whole else {**told, "truncated": True})


def compose_test(webhook: Webhook) -> bytes:
    """Give the bytes of a test."""
    if webhook.format != "standard":
        return chats.compose_test(webhook.format)
    told = {
        "type": TEST_TYPE,
        "timestamp": clock.now(),
        "tenant_id": tenancy.current().id,
        "data": {"webhook_id": webhook.id},
    }
    return msgspec.json.encode(told)


def headers_of(webhook: Webhook, *, message_id: str, body: bytes) -> Mapping[str, str]:
    """Give the headers of a try: its own time, and signatures by all secrets that hold at it.

    :raises sealing.Unreadable: the secret was kept with another key.
    """
    now = clock.now()
    sealed = [webhook.secret]
    if webhook.previous_secret and webhook.previous_secret_until is not None and webhook.previous_secret_until > now:
        sealed.append(webhook.previous_secret)
    keys = [sealing.unseal(one, purpose=PURPOSE) for one in sealed]
    timestamp = int(now.timestamp())
    return {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "BitVault-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.sign(keys, message_id=message_id, timestamp=timestamp, body=body),
    }
