"""What happens to webhooks. Producer: ``apps/webhooks``. No event holds an address or a secret: both let who knows them do something."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCreated(Event):
    """Events are sent to an address from now on."""

    type: ClassVar[str] = "webhooks.webhook.created.v1"

    webhook_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChanged(Event):
    """A webhook has another address or other filters, was switched off, or goes on; ``is_enabled`` says how it is now."""

    type: ClassVar[str] = "webhooks.webhook.changed.v1"

    webhook_id: UUID
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDisabled(Event):
    """BitVault itself has switched a webhook off; ``reason`` is one of those that ``apps.webhooks.dtos`` names."""

    type: ClassVar[str] = "webhooks.webhook.disabled.v1"

    webhook_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecretRotated(Event):
    """A webhook has a new secret; what is sent is signed with the old one too for a while."""

    type: ClassVar[str] = "webhooks.webhook.secret_rotated.v1"

    webhook_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReplayed(Event):
    """Events are sent again from a number of the stream on."""

    type: ClassVar[str] = "webhooks.webhook.replayed.v1"

    webhook_id: UUID
    from_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDeleted(Event):
    """A webhook is not there any more."""

    type: ClassVar[str] = "webhooks.webhook.deleted.v1"

    webhook_id: UUID
