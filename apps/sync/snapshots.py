"""Snapshots: what lies in some scopes at one instant, written down by one statement so that pages of them fit together."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Q

from apps.sync import sql
from apps.sync.errors import CursorExpired
from apps.sync.models import Feed, Snapshot, SnapshotItem
from apps.sync.positions import Told
from apps.sync.queries import fetch_all
from apps.sync.scopes import Scopes
from bitvault.kernel import clock, db, ids

LIFETIME = timedelta(days=1)
"""How long a snapshot is kept after a page of it was read last."""

KEPT_COUNT = 3
"""Snapshots kept for one device, and of a shared one that nobody reads: a loop gone wild fills no disk."""

IN_USE = timedelta(hours=1)
"""A shared snapshot whose pages were read so lately is kept whatever came after it."""

TOUCH = timedelta(minutes=5)
"""How exactly it is noted when a snapshot was read last."""

MAKING_SECONDS = 15
"""How long the one statement of a request may take that writes a tree down: some 50,000 nodes a second, and it cannot be cut, being one
instant."""

SWEEPING_SECONDS = 120
"""The same for the statement that deletes some of them."""

_SWEEP_STEP = 10


class Frame(NamedTuple):
    """Of which instant and which scopes a snapshot is."""

    id: UUID
    epoch: UUID
    seq: int
    root_ids: Sequence[UUID]
    masks: Sequence[int]
    inner_ids: Sequence[UUID]
    inner_masks: Sequence[int]
    last_used_at: datetime

    @property
    def told(self) -> dict[UUID, Told]:
        """What a device that has read it was told of scopes and inner nodes."""
        tops = zip(self.root_ids, self.masks, strict=True)
        inner = zip(self.inner_ids, self.inner_masks, strict=True)
        return {
            **{node_id: Told(mask, None) for node_id, mask in inner},
            **{node_id: Told(mask, self.seq) for node_id, mask in tops},
        }


class Extent(msgspec.Struct, frozen=True):
    """What a snapshot is of: scopes and inner nodes, in the order of their ids, each with its mask."""

    tops: dict[UUID, int]
    inner: dict[UUID, int]

    @classmethod
    def of(cls, scopes: Scopes) -> "Extent":
        """Give that of somebody's scopes."""
        return cls(dict(sorted(scopes.tops.items())), dict(sorted(scopes.inner.items())))

    @property
    def digest(self) -> str:
        """Name what somebody sees: the same nodes with the same masks give the same name."""
        facts = ";".join(
            ",".join(f"{node_id.hex}{mask:02x}" for node_id, mask in sorted(part.items()))
            for part in (self.tops, self.inner)
        )
        return hashlib.sha256(facts.encode()).hexdigest()


def count_nodes(extent: Extent, *, limit: int) -> int:
    """Count what lies in some scopes, but no further than ``limit``."""
    return int(fetch_all(sql.COUNT_NODES, {"root_ids": list(extent.tops), "limit": limit})[0][0])


def find_shared(scope: str, *, since: datetime, least_seq: int) -> UUID | None:
    """Find the latest shared snapshot that leads on: made after ``since`` or true still, and as of ``least_seq`` at least."""
    feed = Feed.objects.get()
    # Of the present epoch, and not so old that the journal does not lead on from it.
    leading_on = Snapshot.objects.filter(scope=scope, epoch=feed.epoch, seq__gte=max(least_seq, feed.horizon))
    still_true = leading_on.filter(Q(created_at__gte=since) | Q(seq=feed.seq))
    return still_true.order_by("-created_at", "-id").values_list("id", flat=True).first()


def list_made_for(user_id: UUID, *, since: datetime) -> list[datetime]:
    """List when shared snapshots were made for a person since a moment, oldest first."""
    made = Snapshot.objects.filter(made_for=user_id, created_at__gte=since).exclude(scope="")
    return list(made.order_by("created_at").values_list("created_at", flat=True))


def make(device_id: UUID, extent: Extent) -> UUID:
    """Write down for one device what lies in some scopes now, and drop its older snapshots but the last ones."""
    with db.write_transaction():
        snapshot_id = _write(extent, device_id=device_id)
        mine = Snapshot.objects.filter(device_id=device_id).order_by("-created_at", "-id")
        _drop(list(mine.values_list("id", flat=True)[KEPT_COUNT:]))
    return snapshot_id


def make_shared(extent: Extent, *, made_for: UUID, seconds: int = MAKING_SECONDS) -> UUID:
    """Write down, in the open transaction, what lies in some scopes now, for all who see just that; older ones not in use are dropped.

    :param seconds: how long it may take.
    """
    scope = extent.digest
    snapshot_id = _write(extent, scope=scope, made_for=made_for, seconds=seconds)
    older = Snapshot.objects.filter(scope=scope).order_by("-created_at", "-id").values_list("id", "last_used_at")
    unused_since = clock.now() - IN_USE
    _drop([one for one, used_at in older[KEPT_COUNT:] if used_at < unused_since])
    return snapshot_id


def _write(
    extent: Extent,
    *,
    device_id: UUID | None = None,
    scope: str = "",
    made_for: UUID | None = None,
    seconds: int = MAKING_SECONDS,
) -> UUID:
    snapshot_id = ids.new_id()
    db.set_statement_timeout(seconds=seconds)
    values: dict[str, Any] = {
        "id": snapshot_id,
        "device_id": device_id,
        "scope": scope,
        "root_ids": list(extent.tops),
        "masks": list(extent.tops.values()),
        "inner_ids": list(extent.inner),
        "inner_masks": list(extent.inner.values()),
        "made_for": made_for,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.MAKE_SNAPSHOT, values)
    return snapshot_id


def touch(snapshot_id: UUID, *, last_used_at: datetime | None = None) -> None:
    """Note that a page of a snapshot was read.

    :param last_used_at: what is noted, if the caller knows it.
    """
    now = clock.now()
    mine = Snapshot.objects.filter(id=snapshot_id)
    if last_used_at is None:
        with db.read_transaction():
            last_used_at = mine.values_list("last_used_at", flat=True).first()
    if last_used_at is not None and last_used_at < now - TOUCH:
        with db.write_transaction():
            mine.update(last_used_at=now)


def require(snapshot_id: UUID, device_id: UUID, scopes: Scopes) -> Frame:
    """Find a snapshot of a device's, or a shared one, whose scopes are all scopes still.

    :raises CursorExpired: it was swept away, or one of them cannot.
    """
    frame = find(snapshot_id, device_id)
    if frame is None or any(root_id not in scopes.tops for root_id in frame.root_ids):
        raise CursorExpired
    return frame


def find(snapshot_id: UUID, device_id: UUID) -> Frame | None:
    """Find a snapshot of a device's, or a shared one; ``None`` when it was swept away."""
    mine = Snapshot.objects.filter(Q(device_id=device_id) | Q(device_id=None), id=snapshot_id)
    row = mine.values_list(*Frame._fields).first()
    return Frame._make(row) if row else None


def drop_of_device(device_id: UUID) -> None:
    """Drop all snapshots of a device that ends, inside the transaction that ends it."""
    _drop(list(Snapshot.objects.filter(device_id=device_id).values_list("id", flat=True)))


def sweep() -> int:
    """Drop the entered tenant's snapshots of which nobody has read a page for a day; returns how many."""
    before, count = clock.now() - LIFETIME, 0
    while True:
        with db.write_transaction():
            db.set_statement_timeout(seconds=SWEEPING_SECONDS)
            due = list(Snapshot.objects.filter(last_used_at__lt=before).values_list("id", flat=True)[:_SWEEP_STEP])
            _drop(due)
        count += len(due)
        if len(due) < _SWEEP_STEP:
            return count


def _drop(snapshot_ids: list[UUID]) -> None:
    if snapshot_ids:
        SnapshotItem.objects.filter(snapshot_id__in=snapshot_ids).delete()
        Snapshot.objects.filter(id__in=snapshot_ids).delete()
