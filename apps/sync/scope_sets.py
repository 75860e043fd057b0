"""Cursors with many scopes: what the device was told of them is kept as a set that never changes, and the cursor names it.

A set is named by a digest of what it holds, so the same scopes are kept once, and an answer that is lost and asked for again finds the set
of the older cursor as it was.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec

from apps.sync import positions
from apps.sync.errors import CursorExpired
from apps.sync.models import ScopeSet
from apps.sync.positions import Position, Told
from bitvault.kernel import clock, db

INLINE_LIMIT = 16
"""As many scopes and inner nodes stand in the cursor itself: a kilobyte of an address."""

LIFETIME = timedelta(days=100)
"""How long a set is kept that no cursor has named: longer than the journal, without which a cursor is of no use."""

TOUCH = timedelta(days=1)
"""How exactly it is noted when a set was used last."""

_SWEEP_STEP = 100


def encode(position: Position) -> str:
    """Make the cursor of a position; a set that it has to name is kept, in a transaction of its own."""
    if len(position.told) <= INLINE_LIMIT:
        return positions.encode(replace(position, set_id=None))
    content = msgspec.json.encode(positions.to_facts(position.told))
    set_id = UUID(bytes=hashlib.sha256(content).digest()[:16])
    if set_id != position.set_id:
        now = clock.now()
        kept = ScopeSet(id=set_id, content=content.decode(), used_at=now)
        with db.write_transaction():
            ScopeSet.objects.bulk_create([kept], update_conflicts=True, update_fields=["used_at"], unique_fields=["id"])
    return positions.encode(replace(position, set_id=set_id))


def load(position: Position) -> Position:
    """Give a position with what its cursor names, inside the open transaction.

    :raises CursorExpired: the set was swept.
    """
    if position.set_id is None:
        return position
    kept = ScopeSet.objects.filter(id=position.set_id).first()
    if kept is None:
        raise CursorExpired
    facts = msgspec.json.decode(kept.content, type=list[tuple[str, int, int | None]])
    told: dict[UUID, Told] = positions.from_facts(facts)
    # A set that was not used for a day is written again with the next cursor, and so it is kept.
    is_fresh = kept.used_at > clock.now() - TOUCH
    return replace(position, told=told, set_id=position.set_id if is_fresh else None)


def sweep() -> int:
    """Drop the entered tenant's sets that no cursor has named for long; returns how many."""
    before, count = clock.now() - LIFETIME, 0
    while True:
        with db.write_transaction():
            due = list(ScopeSet.objects.filter(used_at__lt=before).values_list("id", flat=True)[:_SWEEP_STEP])
            ScopeSet.objects.filter(id__in=due).delete()
        count += len(due)
        if len(due) < _SWEEP_STEP:
            return count
