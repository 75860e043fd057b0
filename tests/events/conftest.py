"""A consumer of the tests' own: it writes one row for each event it acts on, and can be told to fail."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

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

    @consuming.consumes(Noted, consumer=one.name)
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
