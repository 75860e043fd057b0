"""Reads of webhooks."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from apps.files import api as files
from apps.identity import api as identity
from apps.webhooks import dtos
from apps.webhooks.models import Delivery, Webhook
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import Page

_PURPOSE = "webhooks.deliveries"


def list_webhooks() -> list[dtos.Webhook]:
    """List all webhooks, oldest first: there are few."""
    with db.read_transaction():
        return [to_dto(row) for row in Webhook.objects.order_by("id")]


def name_filters(actor: Actor, webhooks: Collection[dtos.Webhook]) -> dict[UUID, str]:
    """Name the folders that the actor sees and the people that webhooks are narrowed to."""
    folder_ids = {one.folder_id for one in webhooks if one.folder_id}
    people_ids = {one.actor_id for one in webhooks if one.actor_id}
    folders = files.find_visible(actor=actor, node_ids=folder_ids) if folder_ids else {}
    people = identity.name_people(tenant=actor.tenant, user_ids=people_ids) if people_ids else {}
    return {**{one: found.node.name for one, found in folders.items()}, **people}


def get(webhook_id: UUID) -> Webhook:
    """Read a webhook, in the open transaction.

    :raises NotFound: there is none.
    """
    row = Webhook.objects.filter(pk=webhook_id).first()
    if row is None:
        raise NotFound
    return row


def list_deliveries(webhook_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.Delivery]:
    """List the messages of a webhook, newest first."""
    pages.require_limit(limit)
    rows = Delivery.objects.filter(webhook_id=webhook_id).order_by("-id")
    if cursor is not None:
        rows = rows.filter(id__lt=UUID(pages.decode_cursor(_PURPOSE, cursor)[0]))
    with db.read_transaction():
        get(webhook_id)
        found = list(rows[: limit + 1])
    items = [to_delivery(row) for row in found[:limit]]
    return Page(items, pages.encode_cursor(_PURPOSE, [items[-1].id.hex]) if len(found) > limit else None)


def to_dto(row: Webhook) -> dtos.Webhook:
    """Give a row as administrators see it: without its secrets."""
    return dtos.Webhook(**_facts(row))


def to_new(row: Webhook, secret: str) -> dtos.NewWebhook:
    """Give a row with its secret."""
    return dtos.NewWebhook(**_facts(row), secret=secret)


def to_delivery(row: Delivery) -> dtos.Delivery:
    """Give a message as administrators see it."""
    return dtos.Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        message_id=row.message_id,
        kind=row.kind,  # type: ignore[arg-type] # the column holds no other
        state=row.state,  # type: ignore[arg-type] # the same
        event_type=row.event_type,
        seq=row.seq,
        prev_seq=row.prev_seq,
        body=row.body,
        tries=msgspec.convert(row.tries, list[dtos.Try], strict=False),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _facts(row: Webhook) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "events": list(row.events),
        "folder_id": row.folder_id,
        "actor_id": row.actor_id,
        "description": row.description,
        "format": row.format,
        "enabled": row.is_enabled,
        "disabled_reason": row.disabled_reason or None,
        "disabled_at": row.disabled_at,
        "sent_seq": row.sent_seq,
        "failing_since": row.failing_since,
        "next_try_at": row.next_try_at,
        "last_success_at": row.last_success_at,
        "previous_secret_until": row.previous_secret_until,
        "created_by": row.created_by,
        "created_at": row.created_at,
    }
