"""A consumer of the tests' own: it writes one row for each event it acts on, and can be told to fail."""

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from bitvault.events.message import Event
from tests.support.noting import Noted


@dataclass
class Reader:
    """What the consumer did, and what it is told to do."""

    name: str
    calls: Counter = field(default_factory=Counter)
    refuses: set[str] = field(default_factory=set)
    before: list = field(default_factory=list)

    def position(self) -> int:
        from bitvault.events import cursors

        return cursors.get_position(self.name)

    def effects(self) -> list[str]:
        """The texts whose effect stands, in the order of their numbers."""
        from bitvault.kernel import db
        from bitvault.web.models import IdempotencyKey

        with db.read_transaction():
            rows = IdempotencyKey.objects.filter(key__startswith=f"{self.name}:").values_list("key", flat=True)
            return [key.split(":")[2] for key in sorted(rows)]


@pytest.fixture
def reader(monkeypatch, committed, acme, beta):
    from bitvault.events import consuming
    from bitvault.events.cursors import open_cursors
    from bitvault.events.models import ConsumerCursor
    from bitvault.kernel import ids
    from bitvault.kernel.clock import now
    from bitvault.web.models import IdempotencyKey

    monkeypatch.setattr(consuming, "_consumers", {})
    one = Reader(name="tests")

    @consuming.consumes(one.name, Noted)
    def write_a_row(event: Noted, tx) -> None:
        one.calls[event.text] += 1
        for act in one.before:
            act(event)
        if event.text in one.refuses:
            raise ValueError(f"refused {event.text}")
        IdempotencyKey.objects.create(
            user_id=ids.new_id(),
            key=f"{one.name}:{tx.seq:09d}:{event.text}",
            fingerprint=b"",
            answer=b"",
            created_at=now(),
        )

    # The product's own consumers stand aside: their cursors would lag behind notes that they never read.
    ConsumerCursor.objects.all().delete()
    open_cursors(acme.id)
    open_cursors(beta.id)
    return one


@dataclass
class Gatherer(Reader):
    """A consumer that is given many events at once, and what it was given in transactions that were tried."""

    batches: list = field(default_factory=list)
    everything: list = field(default_factory=list)


@pytest.fixture
def gatherer(reader, acme, beta):
    from bitvault.events import consuming
    from bitvault.events.cursors import open_cursors
    from bitvault.kernel import ids
    from bitvault.kernel.clock import now
    from bitvault.web.models import IdempotencyKey

    one = Gatherer(name="batches")

    @consuming.consumes_batch(one.name, Noted)
    def write_rows(events, tx) -> None:
        one.batches.append([published.event.text for published in events])
        for published in events:
            IdempotencyKey.objects.create(
                user_id=ids.new_id(),
                key=f"{one.name}:{published.seq:09d}:{published.event.text}",
                fingerprint=b"",
                answer=b"",
                created_at=now(),
            )
            if published.event.text in one.refuses:
                raise ValueError(f"refused {published.event.text}")

    consuming.consumes_batch("everything", Noted, everything=True)(lambda events, _: one.everything.extend(events))
    open_cursors(acme.id)
    open_cursors(beta.id)
    return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Event):
    """Something that no consumer of the tests has asked for."""

    type: ClassVar[str] = "tests.other.made.v1"


@pytest.fixture
def publish_other():
    """Publish an event in the entered tenant that is no note."""
    from bitvault.events.api import publish
    from bitvault.kernel import db

    def publish_one() -> None:
        with db.write_transaction():
            publish(Other())

    return publish_one


@pytest.fixture
def note():
    """Publish notes in the entered tenant, each call one transaction; returns its last number."""
    from bitvault.events.api import publish
    from bitvault.kernel import db

    def publish_notes(*texts: str) -> int:
        with db.write_transaction() as tx:
            for text in texts:
                publish(Noted(text=text))
        return tx.seq

    return publish_notes
