"""The door of webhooks, and of the same events by pull. All of it is for who manages webhooks."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from apps.webhooks import dtos, operations, public_form, queries
from apps.webhooks.errors import TokenNarrowed
from apps.webhooks.waking import CONSUMER
from bitvault.events.api import BeyondHead, get_head, list_published
from bitvault.kernel import pages
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission

__all__ = ["CONSUMER", "list_webhooks"]


@exposed
def list_webhooks(*, actor: Actor) -> Page[dtos.Webhook]:
    """List the tenant's webhooks, oldest first, all in one page.

    :raises PermissionMissing, TokenNarrowed: the actor does not manage webhooks, or only in a folder.
    """
    _require_managing(actor)
    return Page(queries.list_webhooks())


@exposed
def name_filters(*, actor: Actor, webhooks: Collection[dtos.Webhook]) -> dict[UUID, str]:
    """Name the folders and people that webhooks are narrowed to, as far as the actor sees them now.

    :raises PermissionMissing, TokenNarrowed: the actor does not manage webhooks, or only in a folder.
    """
    _require_managing(actor)
    return queries.name_filters(actor, webhooks)


@exposed
def create_webhook(*, actor: Actor, wish: dtos.Wish) -> dtos.NewWebhook:
    """Make a webhook; its secret is told this once.

    :raises AddressUnfit, EventUnknown, TooManyWebhooks: there can be no such webhook.
    :raises NotFound: there is no such folder that the actor may know of.
    """
    _require_managing(actor)
    return operations.create(actor, wish)


@exposed
def change_webhook(*, actor: Actor, webhook_id: UUID, changes: dict[str, Any]) -> dtos.Webhook:
    """Change fields of a webhook: those of ``Wish``, and ``enabled``. What waits is sent at once.

    :raises AddressUnfit, EventUnknown: it cannot be like this.
    :raises NotFound: there is no such webhook, or no such folder.
    """
    _require_managing(actor)
    return operations.change(actor, webhook_id, changes)


@exposed
def delete_webhook(*, actor: Actor, webhook_id: UUID) -> None:
    """Delete a webhook.

    :raises NotFound: there is none.
    """
    _require_managing(actor)
    operations.delete(actor, webhook_id)


@exposed
def rotate_secret(*, actor: Actor, webhook_id: UUID) -> dtos.NewSecret:
    """Give a webhook a new secret, which is told this once; the one before is good for a day longer.

    :raises NotFound: there is no such webhook.
    """
    _require_managing(actor)
    return operations.rotate_secret(actor, webhook_id)


@exposed
def send_test(*, actor: Actor, webhook_id: UUID) -> dtos.Delivery:
    """Send a test; how it ends stands among the deliveries.

    :raises NotFound: there is no such webhook.
    """
    _require_managing(actor)
    return operations.test(actor, webhook_id)


@exposed
def list_deliveries(
    *, actor: Actor, webhook_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[dtos.Delivery]:
    """List the messages of a webhook with their tries, newest first.

    :raises NotFound: there is no such webhook.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    _require_managing(actor)
    return queries.list_deliveries(webhook_id, limit=limit, cursor=cursor)


@exposed
def redeliver(*, actor: Actor, webhook_id: UUID, delivery_id: UUID) -> dtos.Delivery:
    """Send a message again, under the id that it had.

    :raises NotFound: there is no such message.
    """
    _require_managing(actor)
    return operations.redeliver(actor, webhook_id, delivery_id)


@exposed
def replay(*, actor: Actor, webhook_id: UUID, from_seq: int) -> dtos.Webhook:
    """Send all events again from a number of the stream on.

    :raises BeyondHead: the stream has not come to it.
    :raises EventsGone: it is not kept any more.
    :raises WebhookDisabled: the webhook is switched off.
    :raises NotFound: there is no such webhook.
    """
    _require_managing(actor)
    return operations.replay(actor, webhook_id, from_seq)


@exposed
def list_events(*, actor: Actor, after_seq: int, limit: int = PAGE_DEFAULT) -> dtos.Events:
    """List the tenant's events after a number, oldest first, as webhooks tell them.

    :raises BeyondHead: the stream has not come to it.
    :raises EventsGone: the next one is not kept any more.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    """
    _require_managing(actor)
    pages.require_limit(limit)
    head = get_head()
    if after_seq > head:
        raise BeyondHead(head_seq=head)
    operations.require_kept(after=after_seq)
    items = [public_form.to_public(one) for one in list_published(after=after_seq, limit=limit)]
    return dtos.Events(items, items[-1].seq if items else after_seq, max(head, items[-1].seq if items else 0))


def _require_managing(actor: Actor) -> None:
    """Refuse whoever does not manage webhooks, and a token that is narrowed to a folder: events are of all folders.

    :raises PermissionMissing, TokenNarrowed: that is so.
    """
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_WEBHOOKS)
    if actor.folder_id is not None:
        raise TokenNarrowed
