"""What an event is: a fact of the past, named, numbered per tenant, made of ids and plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec


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
