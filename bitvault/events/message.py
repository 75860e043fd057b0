"""What an event is: a fact of the past, named, numbered per tenant, made of ids and plain values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec

E = TypeVar("E", bound="Event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of every event in ``bitvault/events/catalog``.

    ``type`` is ``<module>.<subject>.<action>.v<n>``. Fields hold ids and facts, never instances, so that a consumer of any age can
    read them; a change of meaning is a new version.
    """

    type: ClassVar[str] = ""

    actor_id: UUID | None = None

    def payload(self) -> dict[str, Any]:
        """Give the event's own facts as plain JSON values."""
        facts: dict[str, Any] = msgspec.to_builtins(self)
        facts.pop("actor_id")
        return facts


@dataclass(frozen=True, slots=True)
class Published:
    """An event as it stands in a tenant's stream."""

    tenant_id: UUID
    seq: int
    id: UUID
    type: str
    occurred_at: datetime
    actor_id: UUID | None
    request_id: str | None
    address: str | None
    device_id: UUID | None
    payload: dict[str, Any]
    event: Event | None = None
    """The event itself, where a consumer has asked for its type (``consumes_batch``)."""
    token_id: UUID | None = None
    """The token that the request came by."""


def read_event(published: Published, event_type: type[E]) -> E:
    """Give a published event as an instance of its type."""
    return msgspec.convert({**published.payload, "actor_id": published.actor_id}, event_type, strict=False)


def find_event(published: Published, event_types: Collection[type[Event]]) -> Event | None:
    """Give a published event as an instance of whichever of these types it is of."""
    return next((read_event(published, each) for each in event_types if each.type == published.type), None)
