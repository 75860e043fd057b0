"""What a consumer is: a name, and the functions that act on events under it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bitvault.events.message import Event, Published, read_event
from bitvault.kernel import db


@dataclass(frozen=True, slots=True)
class ConsumerTransaction:
    """What a function that acts on single events may know besides the event."""

    tenant_id: UUID
    seq: int
    event_id: UUID
    occurred_at: datetime
    published: Published


Act = Callable[[Any, ConsumerTransaction], None]
ActOnBatch = Callable[[Sequence[Published], db.Transaction], None]


class EventFailed(Exception):
    """The effect of an event failed, and it is known which event that is."""

    def __init__(self, published: Published, cause: Exception, *, alone: bool) -> None:
        super().__init__(str(cause))
        self.published = published
        self.cause = cause
        self.alone = alone
        """No other event was to have its effect in the same transaction."""


@dataclass(frozen=True, slots=True)
class BatchFunction:
    """A function that acts on many events at once."""

    act: ActOnBatch
    types: Mapping[str, type[Event]]
    """The types that it is given as instances of their classes."""
    everything: bool
    """It is given all other events too, without an instance."""

    def select(self, events: Sequence[Published]) -> list[Published]:
        """Give those of the events that concern the function.

        :raises EventFailed: one cannot be read as its type.
        """
        chosen = []
        for published in events:
            event_type = self.types.get(published.type)
            if event_type is None:
                if self.everything:
                    chosen.append(published)
                continue
            try:
                chosen.append(replace(published, event=read_event(published, event_type)))
            except Exception as error:
                raise EventFailed(published, error, alone=len(events) == 1) from error
        return chosen


@dataclass(slots=True)
class Consumer:
    """A named reader of the stream and its functions."""

    name: str
    by_type: dict[str, list[tuple[type[Event], Act]]] = field(default_factory=dict)
    batch_functions: list[BatchFunction] = field(default_factory=list)
    prompt: bool = False
    """Called after each commit; the others within a second, which costs a small part of it when commits are many."""
    rebuild: Callable[[], int] | None = None
    """Rebuilds the derivation of the entered tenant from its owner's snapshot; returns the number from which the stream goes on."""
    shape: int = 0
    """Of which shape its tables are by this code; what an earlier one has filled is rebuilt by itself."""
    no_rebuild_reason: str = ""
    """Why it cannot be rebuilt, where it cannot."""

    def act_on(self, events: Sequence[Published], *, deadline: float = math.inf) -> int:
        """Let every function that is concerned act on the next events, in the open write transaction; returns on how many they did.

        :param deadline: when events have effects of their own, begin no further one after this moment of ``time.monotonic``.
        :raises EventFailed: one of them failed, and it is known which; a batch of several fails with its function's own error.
        """
        done = self._act_on_each(events, deadline) if self.by_type else len(events)
        for function in self.batch_functions:
            chosen = function.select(events[:done])
            if not chosen:
                continue
            try:
                function.act(chosen, db.require_writing())
            except Exception as error:
                if len(events) > 1:
                    raise
                raise EventFailed(events[0], error, alone=True) from error
        return done

    def _act_on_each(self, events: Sequence[Published], deadline: float) -> int:
        done = 0
        for published in events:
            try:
                self._act_on_one(published)
            except Exception as error:
                raise EventFailed(published, error, alone=len(events) == 1) from error
            done += 1
            if time.monotonic() >= deadline:
                break
        return done

    def _act_on_one(self, published: Published) -> None:
        for event_type, act in self.by_type.get(published.type, ()):
            act(
                read_event(published, event_type),
                ConsumerTransaction(
                    tenant_id=published.tenant_id,
                    seq=published.seq,
                    event_id=published.id,
                    occurred_at=published.occurred_at,
                    published=published,
                ),
            )
