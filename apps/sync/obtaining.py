"""Obtaining a snapshot: one of a small tree is made at once for the device that asks, one of a larger tree is shared by all devices that
see the same, and one of a large tree is made by a job, while the device asks again.

So a hundred devices of one person cost what one costs, and no request writes more rows than a second's work.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from apps.sync import queries, snapshots
from apps.sync.errors import SnapshotBeingMade, SnapshotFailed
from apps.sync.scopes import Scopes
from apps.sync.snapshots import Extent
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import TooManyRequests

KIND = "sync.snapshot"

SMALL_NODES = 1_000
"""Up to so many nodes each device has a snapshot of its own, as of the moment in which it asks."""

LARGE_NODES = 50_000
"""From so many on, about a second's work, a job makes it."""

SHARED_FOR = timedelta(minutes=1)
"""How old a shared snapshot may be when another device begins with it, though the tree has changed since: the feed makes up for it."""

LARGE_SHARED_FOR = timedelta(hours=1)
"""The same for a large one: longer than it takes to be made, or who waits for it would wait for ever."""

MADE_LIMIT, MADE_WITHIN = 12, timedelta(hours=1)
"""Shared snapshots that are made for one person's devices within this time."""

FAILURE_REST = timedelta(minutes=10)
"""How long no other job is begun after one that failed for good."""

JOB_SECONDS = 1200
"""How long the statement of a job may take: some 50 million nodes."""


class MakeSnapshot(msgspec.Struct, frozen=True):
    """In which scopes and inner nodes, with which mask each, and for whom."""

    masks: dict[UUID, int]
    made_for: UUID
    inner: dict[UUID, int] = {}

    @property
    def extent(self) -> Extent:
        """What the snapshot is of."""
        return Extent(self.masks, self.inner)


class Made(msgspec.Struct, frozen=True):
    """The snapshot that is there now."""

    snapshot_id: UUID


def obtain(actor: Actor, device_id: UUID, scopes: Scopes, *, least_seq: int) -> UUID:
    """Find or make a snapshot of what lies in some scopes, as of ``least_seq`` at least, and as of the moment when each was shared first.

    :raises SnapshotBeingMade: a job makes it; ask again.
    :raises SnapshotFailed: the job has failed.
    :raises TooManyRequests: too many were made for this person lately.
    """
    extent = Extent.of(scopes)
    scope, least_seq = extent.digest, max(least_seq, scopes.least_seq)
    with db.read_transaction():
        size = snapshots.count_nodes(extent, limit=LARGE_NODES + 1)
        age = LARGE_SHARED_FOR if size > LARGE_NODES else SHARED_FOR
        found = None
        if size > SMALL_NODES:
            found = snapshots.find_shared(scope, since=clock.now() - age, least_seq=least_seq)
    if size <= SMALL_NODES:
        return snapshots.make(device_id, extent)
    if found is not None:
        return found
    wanted = MakeSnapshot(masks=extent.tops, made_for=actor.user_id, inner=extent.inner)
    if size > LARGE_NODES:
        raise SnapshotBeingMade(job_id=_have_made(scope, wanted).id)
    # Whoever comes meanwhile waits for the lock, and finds what was made.
    with db.write_transaction(lock=_lock(scope)):
        found = snapshots.find_shared(scope, since=clock.now() - age, least_seq=least_seq)
        if found is None:
            _require_few(actor.user_id)
            found = snapshots.make_shared(extent, made_for=actor.user_id)
    return found


def _have_made(scope: str, wanted: MakeSnapshot) -> jobs.Job:
    """Ask for the job that makes a snapshot, if it is not asked for already."""
    last = jobs.find_latest(kind=KIND, key=scope)
    if last is not None and not last.is_finished:
        return last
    if last is not None and last.state == "failed" and last.finished_at is not None:
        rest = last.finished_at + FAILURE_REST - clock.now()
        if rest > timedelta(0):
            raise SnapshotFailed(job_id=last.id, retry_after_seconds=int(rest.total_seconds()) + 1)
    with db.write_transaction():
        _require_few(wanted.made_for)
        return jobs.enqueue(KIND, wanted, key=scope, by=jobs.Requester("user", wanted.made_for))


def make_by_job(wanted: MakeSnapshot, run: jobs.Run) -> None:
    """Make a shared snapshot, and end the job in the same transaction: it is made once."""
    with db.write_transaction(lock=_lock(wanted.extent.digest)):
        snapshot_id = snapshots.make_shared(wanted.extent, made_for=wanted.made_for, seconds=JOB_SECONDS)
        run.complete(Made(snapshot_id=snapshot_id))


def _require_few(user_id: UUID) -> None:
    """Refuse another snapshot when as many as may be were made for this person lately.

    :raises TooManyRequests: they were; it says when the first of them counts no more.
    """
    now = clock.now()
    made = snapshots.list_made_for(user_id, since=now - MADE_WITHIN)
    if len(made) >= MADE_LIMIT:
        seconds = int((made[-MADE_LIMIT] + MADE_WITHIN - now).total_seconds()) + 1
        raise TooManyRequests("Too many snapshots were made for your devices.", retry_after_seconds=seconds)


def _lock(scope: str) -> str:
    return f"sync.snapshot:{scope}"


def find_least_seq(device_id: UUID, min_seq: int) -> int:
    """Tell as of which number a device takes a snapshot: it has to show what the caller asks for, and what the device has acknowledged."""
    with db.read_transaction():
        return max(min_seq, queries.find_acknowledged(device_id))
