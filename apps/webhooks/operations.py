"""What administrators change: webhooks, their secrets, what is sent again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from apps.files import api as files
from apps.webhooks import dtos, errors, matching, messages, queries, signing, waking
from apps.webhooks.models import Delivery, Webhook
from bitvault.events.api import BeyondHead, get_head, list_published, publish
from bitvault.events.catalog.webhooks import (
    WebhookChanged,
    WebhookCreated,
    WebhookDeleted,
    WebhookReplayed,
    WebhookSecretRotated,
)
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids, sealing
from bitvault.kernel.actor import Actor
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import NotFound
from bitvault.kernel.outbound import addresses

WEBHOOKS_LIMIT = 50
"""Webhooks of one tenant: each commit's events are held against all of them."""

ROTATION = timedelta(hours=24)
"""How long the secret before is good beside a new one."""

_SENTENCES = {
    "malformed": gettext_noop("Type a whole address, like https://example.com/hook."),
    "too_long": gettext_noop("This address is too long."),
    "scheme": gettext_noop("The address must begin with https://."),
    "credentials": gettext_noop("The address must hold no user name and no password."),
    "port": gettext_noop("Nothing is sent to this port."),
    "unknown_host": gettext_noop("No server of this name is found."),
    "inside": gettext_noop("This address is not on the public internet."),
}

_resolving = Dependency("resolver", share=2)
"""Two threads of a process wait for name servers at once, for some seconds at most."""


def create(actor: Actor, wish: dtos.Wish) -> dtos.NewWebhook:
    """Make a webhook; it is told of what happens from now on."""
    _require_events(wish.events)
    _require_folder(actor, wish.folder_id)
    _require_address(wish.url)
    secret, head = signing.new_secret(), get_head()
    row = Webhook(
        id=ids.new_id(),
        url=wish.url,
        events=list(wish.events),
        folder_id=wish.folder_id,
        actor_id=wish.actor_id,
        description=wish.description,
        format=wish.format,
        secret=sealing.seal(secret, purpose=messages.PURPOSE),
        position=head,
        created_by=actor.user_id,
        created_at=clock.now(),
    )
    with db.write_transaction(lock="webhooks"):
        if Webhook.objects.count() >= WEBHOOKS_LIMIT:
            raise errors.TooManyWebhooks(limit=WEBHOOKS_LIMIT)
        row.save(force_insert=True)
        publish(WebhookCreated(webhook_id=row.id, actor_id=actor.user_id))
    return queries.to_new(row, secret)


def change(actor: Actor, webhook_id: UUID, changes: dict[str, Any]) -> dtos.Webhook:
    """Change fields of a webhook. ``enabled`` switches it off, or lets it go on from where it was."""
    if "events" in changes:
        _require_events(changes["events"])
    if "folder_id" in changes:
        _require_folder(actor, changes["folder_id"])
    with db.read_transaction():
        present = queries.get(webhook_id)
    if "url" in changes or changes.get("enabled"):
        _require_address(changes.get("url", present.url))

    def apply(row: Webhook) -> None:
        wanted = dict(changes)
        enabled = wanted.pop("enabled", row.is_enabled)
        if enabled == row.is_enabled and all(getattr(row, name) == value for name, value in wanted.items()):
            return
        for name, value in wanted.items():
            setattr(row, name, value)
        if wanted.keys() & {"events", "folder_id", "actor_id"}:
            # Of other events, nobody knows which was the one before.
            row.sent_seq = None
        _switch(row, is_enabled=enabled)
        publish(WebhookChanged(webhook_id=row.id, is_enabled=enabled, actor_id=actor.user_id))

    return queries.to_dto(_locked(webhook_id, apply))


def _switch(row: Webhook, *, is_enabled: bool) -> None:
    if is_enabled:
        if not row.is_enabled:
            row.disabled_reason, row.disabled_at, row.failing_since = "", None, None
        row.is_enabled = True
        waking.begin_anew(row)
        return
    if row.is_enabled:
        row.disabled_reason, row.disabled_at = "by_administrator", clock.now()
    row.is_enabled, row.next_try_at = False, None
    row.round += 1


def rotate_secret(actor: Actor, webhook_id: UUID) -> dtos.NewSecret:
    """Give a webhook a new secret; the one before is good for a day longer."""
    secret, until = signing.new_secret(), clock.now() + ROTATION

    def apply(row: Webhook) -> None:
        row.previous_secret, row.previous_secret_until = row.secret, until
        if row.disabled_reason == "secret_unreadable":
            row.previous_secret, row.previous_secret_until = "", None
        row.secret = sealing.seal(secret, purpose=messages.PURPOSE)
        publish(WebhookSecretRotated(webhook_id=row.id, actor_id=actor.user_id))

    _locked(webhook_id, apply)
    return dtos.NewSecret(secret=secret, previous_secret_until=until)


def delete(actor: Actor, webhook_id: UUID) -> None:
    """Delete a webhook and what is known of its messages."""
    with db.write_transaction():
        if not Webhook.objects.filter(pk=webhook_id).delete()[0]:
            raise NotFound
        Delivery.objects.filter(webhook_id=webhook_id).delete()
        publish(WebhookDeleted(webhook_id=webhook_id, actor_id=actor.user_id))


def test(actor: Actor, webhook_id: UUID) -> dtos.Delivery:
    """Send a test, by a job; a webhook that is switched off can be tested too."""
    with db.write_transaction():
        row = queries.get(webhook_id)
        delivery = Delivery(
            webhook_id=row.id,
            message_id=messages.id_of(ids.new_id()),
            kind="test",
            event_type=messages.TEST_TYPE,
            body=messages.compose_test(row).decode(),
        )
        _send(actor, delivery)
    return queries.to_delivery(delivery)


def redeliver(actor: Actor, webhook_id: UUID, delivery_id: UUID) -> dtos.Delivery:
    """Send a message again as it was, under its id, by a job; out of its turn."""
    with db.write_transaction():
        queries.get(webhook_id)
        found = Delivery.objects.filter(pk=delivery_id, webhook_id=webhook_id).first()
        if found is None:
            raise NotFound
        delivery = Delivery(
            webhook_id=webhook_id,
            message_id=found.message_id,
            kind="test" if found.kind == "test" else "redelivery",
            event_type=found.event_type,
            seq=found.seq,
            prev_seq=found.prev_seq,
            body=found.body,
        )
        _send(actor, delivery)
    return queries.to_delivery(delivery)


def _send(actor: Actor, delivery: Delivery) -> None:
    delivery.state, delivery.created_at = "pending", clock.now()
    delivery.save(force_insert=True)
    payload = waking.Send(delivery_id=delivery.id)
    jobs.enqueue(waking.SEND, payload, key=delivery.id.hex, by=jobs.Requester.of(actor))


def replay(actor: Actor, webhook_id: UUID, from_seq: int) -> dtos.Webhook:
    """Send everything again from a number of the stream on, in its order, and then go on."""
    with db.read_transaction():
        queries.get(webhook_id)
    head = get_head()
    if from_seq > head:
        raise BeyondHead(head_seq=head)
    require_kept(after=from_seq - 1)

    def apply(row: Webhook) -> None:
        if not row.is_enabled:
            raise errors.WebhookDisabled
        row.position, row.sent_seq, row.failing_since = from_seq - 1, None, None
        Delivery.objects.filter(webhook_id=row.id, kind="event", state="pending").update(
            state="failed", finished_at=clock.now()
        )
        waking.begin_anew(row)
        publish(WebhookReplayed(webhook_id=row.id, from_seq=from_seq, actor_id=actor.user_id))

    return queries.to_dto(_locked(webhook_id, apply))


def require_kept(*, after: int) -> None:
    """Refuse a number of the stream whose next event is not kept any more.

    :raises EventsGone: it is not.
    """
    first = list_published(after=after, limit=1)
    if first and first[0].seq != after + 1:
        raise errors.EventsGone(first_seq=first[0].seq)


def _locked(webhook_id: UUID, apply: Callable[[Webhook], None]) -> Webhook:
    with db.write_transaction():
        row = Webhook.objects.select_for_update().filter(pk=webhook_id).first()
        if row is None:
            raise NotFound
        apply(row)
        row.save()
    return row


def _require_events(patterns: Any) -> None:
    for pattern in patterns:
        if not matching.is_known(pattern):
            raise errors.EventUnknown(pattern=pattern[: matching.PATTERN_LIMIT])


def _require_folder(actor: Actor, folder_id: UUID | None) -> None:
    if folder_id is not None:
        files.get_node(actor=actor, node_id=folder_id)


def _require_address(url: str) -> None:
    try:
        with _resolving.held():
            addresses.require_fit(url)
    except addresses.Refused as refused:
        raise errors.AddressUnfit(_SENTENCES[refused.reason], reason=refused.reason) from refused
