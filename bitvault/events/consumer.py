"""What a consumer is: a name, and the functions that act on events under it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bitvault.events.message import Event, Published, read_event


@dataclass(frozen=True, slots=True)
class ConsumerTransaction:
    """What a consumer's function may know besides the event."""

    tenant_id: UUID
    seq: int
    event_id: UUID
    occurred_at: datetime
    published: Published


Act = Callable[[Any, ConsumerTransaction], None]


@dataclass(slots=True)
class Consumer:
    """A named reader of the stream and its functions by type of event."""

    name: str
    by_type: dict[str, list[tuple[type[Event], Act]]] = field(default_factory=dict)
    for_all: list[Callable[[Published], None]] = field(default_factory=list)
    prompt: bool = False
    """Called after each commit; the others within a second, which costs a small part of it when commits are many."""
    rebuild: Callable[[], int] | None = None
    """Makes the derivation of the entered tenant anew from its owner's snapshot; returns the number from which the stream goes on."""
    lasting: str = ""
    """Why it cannot be made anew, where it cannot."""

    def act_on(self, published: Published) -> None:
        """Let every function that is concerned act on one event."""
        for record in self.for_all:
            record(published)
        for event_type, act in self.by_type.get(published.type, ()):
            event = read_event(published, event_type)
            act(
                event,
                ConsumerTransaction(
                    tenant_id=published.tenant_id,
                    seq=published.seq,
                    event_id=published.id,
                    occurred_at=published.occurred_at,
                    published=published,
                ),
            )
