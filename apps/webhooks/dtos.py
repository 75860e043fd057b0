"""What the doors of webhooks give and take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from bitvault.kernel.outbound.failures import Failure

Format = Literal["standard", "slack", "mattermost", "teams"]
"""What is sent: an event as Standard Webhooks has it, or a sentence for a chat."""

DisabledReason = Literal["by_administrator", "gone", "failing", "secret_unreadable"]
"""Why nothing is sent: somebody has switched it off; the receiver has answered 410; every try failed for five days; or the server's own key
has changed, so that what is sent cannot be signed until the secret is rotated."""

DeliveryKind = Literal["event", "test", "redelivery"]
DeliveryState = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are sent, and which.

    ``sent_seq`` is the last event that the receiver has taken, ``failing_since`` the first of the tries that have failed since.
    """

    id: UUID
    url: str
    events: Sequence[str]
    folder_id: UUID | None
    actor_id: UUID | None
    description: str
    format: Format
    enabled: bool
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    sent_seq: int | None
    failing_since: datetime | None
    next_try_at: datetime | None
    last_success_at: datetime | None
    previous_secret_until: datetime | None
    created_by: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook(Webhook):
    """A webhook with its secret, which stands in this answer and nowhere else."""

    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A new secret. Until ``previous_secret_until`` what is sent is signed with the one before as well."""

    secret: str
    previous_secret_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a new webhook is to be."""

    url: str
    events: Sequence[str]
    folder_id: UUID | None = None
    actor_id: UUID | None = None
    description: str = ""
    format: Format = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One request to the receiver. ``answer`` is the beginning of what it said."""

    started_at: datetime
    duration_ms: int
    status: int | None
    failure: Failure
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to a receiver: ``message_id`` is what it knows it by, however often it is sent."""

    id: UUID
    webhook_id: UUID
    message_id: str
    kind: DeliveryKind
    state: DeliveryState
    event_type: str
    seq: int | None
    prev_seq: int | None
    body: str
    tries: Sequence[Try]
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvent:
    """An event as programs are told of it: ids and facts, without the names of files and folders."""

    id: UUID
    seq: int
    type: str
    timestamp: datetime
    actor_id: UUID | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Events:
    """A part of the tenant's stream, oldest first. The next part comes after ``next_after_seq``; ``as_of_seq`` is the last number."""

    items: Sequence[PublicEvent]
    next_after_seq: int
    as_of_seq: int
