"""Snapshots: the trees under some roots at one instant, written down by one statement so that pages of them fit together."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.sync.errors import CursorExpired
from apps.sync.models import Snapshot, SnapshotItem
from apps.sync.positions import UNTOLD, Rights
from apps.sync.queries import STATE, fetch_all
from bitvault.kernel import clock, db, ids

LIFETIME = timedelta(days=1)
"""How long a device may take to read its pages."""

KEPT_COUNT = 3
"""Snapshots kept for one device: a lost answer is asked for again and makes another one; a loop gone wild fills no disk."""

MAKING_SECONDS = 120
"""How long the one statement may take that writes a tree down: some 50,000 nodes a second, and it cannot be cut, being one instant."""

_SWEEP_STEP = 10

# One statement sees one instant: the projector moves replica and feed in the same transaction.
_MAKE = f"""
WITH RECURSIVE made AS (
    INSERT INTO sync_snapshot (id, device_id, epoch, seq, root_ids, right_counts, created_at)
    SELECT %(id)s, %(device_id)s, epoch, seq, %(root_ids)s::uuid[], %(right_counts)s::smallint[], %(now)s FROM sync_feed
),
tree AS (
    SELECT {STATE}, node_id AS root_id, 0 AS level
    FROM sync_node WHERE node_id = ANY(%(root_ids)s::uuid[]) AND parent_id IS NULL AND NOT is_trashed
    UNION ALL
    SELECT {", ".join("child." + column for column in STATE.split(", "))}, tree.root_id, tree.level + 1
    FROM tree JOIN sync_node child ON child.parent_id = tree.node_id
)
INSERT INTO sync_snapshot_item (snapshot_id, ordinal, root_id, {STATE})
SELECT %(id)s, row_number() OVER (ORDER BY level, node_id), root_id, {STATE} FROM tree
"""

_FIND = "SELECT id, epoch, seq, root_ids, right_counts FROM sync_snapshot WHERE id = %s AND device_id = %s"


class Frame(NamedTuple):
    """Of which instant and which roots a snapshot is."""

    id: UUID
    epoch: UUID
    seq: int
    root_ids: Sequence[UUID]
    right_counts: Sequence[int]

    @property
    def told(self) -> dict[UUID, int]:
        """How many rights a device that has read it was told at least once that each root gives."""
        return {**dict.fromkeys(self.root_ids, UNTOLD), **dict(zip(self.root_ids, self.right_counts, strict=False))}


def make(device_id: UUID, rights: Rights) -> UUID:
    """Write down what lies under some roots now, and drop the device's older snapshots but the last ones."""
    snapshot_id = ids.new_id()
    with db.write_transaction(), connection.cursor() as cursor:
        db.be_patient(seconds=MAKING_SECONDS)
        values: dict[str, Any] = {
            "id": snapshot_id,
            "device_id": device_id,
            "root_ids": list(rights),
            "right_counts": [len(given) for given in rights.values()],
            "now": clock.now(),
        }
        cursor.execute(_MAKE, values)
        mine = Snapshot.objects.filter(device_id=device_id).order_by("-created_at", "-id")
        _drop(list(mine.values_list("id", flat=True)[KEPT_COUNT:]))
    return snapshot_id


def require(snapshot_id: UUID, device_id: UUID, rights: Rights) -> Frame:
    """Find a snapshot of a device's whose roots can all be reached still.

    :raises CursorExpired: it was swept away, or one of them cannot.
    """
    frame = find(snapshot_id, device_id)
    if frame is None or any(root_id not in rights for root_id in frame.root_ids):
        raise CursorExpired
    return frame


def find(snapshot_id: UUID, device_id: UUID) -> Frame | None:
    """Find a snapshot of a device's; ``None`` when it was swept away."""
    rows = fetch_all(_FIND, [snapshot_id, device_id])
    return Frame._make(rows[0]) if rows else None


def drop_of_device(device_id: UUID) -> None:
    """Drop all snapshots of a device that ends, inside the transaction that ends it."""
    _drop(list(Snapshot.objects.filter(device_id=device_id).values_list("id", flat=True)))


def sweep() -> int:
    """Drop the entered tenant's snapshots that are past their day; returns how many."""
    before, count = clock.now() - LIFETIME, 0
    while True:
        with db.write_transaction():
            db.be_patient(seconds=MAKING_SECONDS)
            due = list(Snapshot.objects.filter(created_at__lt=before).values_list("id", flat=True)[:_SWEEP_STEP])
            _drop(due)
        count += len(due)
        if len(due) < _SWEEP_STEP:
            return count


def _drop(snapshot_ids: list[UUID]) -> None:
    if snapshot_ids:
        SnapshotItem.objects.filter(snapshot_id__in=snapshot_ids).delete()
        Snapshot.objects.filter(id__in=snapshot_ids).delete()
