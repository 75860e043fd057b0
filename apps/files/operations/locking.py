"""Locks: taken, prolonged, released, ended by others, and swept when their time is over.

A lock is taken, prolonged and ended like a change of structure, with commits of content held: whatever else writes has ended before it, or
finds it. Taking one is the only thing that has to be exclusive; the others are as rare.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Count, DateTimeField, F, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from apps.files import access, errors, limits, locks, models
from apps.files.dtos import Lock, Node
from apps.files.rows import NodeRow, Way, find_lock, find_way, read_rows
from apps.files.tree import tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import NodeLocked, NodeUnlocked, UnlockCause
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import Forbidden

_LOCKED = models.Node.objects.filter(lock__isnull=False)

SWEEP_BATCH = 200
"""Locks that are cleared in one transaction: some milliseconds under the tree lock."""


def lock(
    *, actor: Actor, node_id: UUID, holder_name: str, device: str, reason: str | None, expires_at: datetime | None
) -> Node:
    """Lock a file for the actor, or change the lock that they have; what is not given stays as it was, or is as usual."""
    now = clock.now()
    with tree_transaction(holds_commits=True) as tx:
        way = access.require(actor, find_way(node_id, actor), Capability.EDIT)
        if way.node.is_folder:
            raise errors.NotAFile
        if actor.kind is not ActorKind.USER:
            raise Forbidden("Locks are for people who sign in.")
        locks.require_unlocked(actor, way.node)
        present = find_lock(way.node.lock)
        if present is None:
            _require_few(actor, node_id)
            present = Lock(
                holder_id=actor.user_id,
                holder_name=holder_name,
                device=device,
                reason="",
                locked_at=now,
                expires_at=now,
            )
            expires_at = expires_at or now + timedelta(hours=settings.BITVAULT_LOCKS["default_hours"])
        taken = replace(
            present,
            reason=present.reason if reason is None else reason,
            expires_at=present.expires_at if expires_at is None else _judge_end(expires_at, now),
        )
        if taken == present:
            # What was asked for holds already: by this very request, when its answer was lost.
            return tx.answer(access.describe(actor, way))
        row = way.node._replace(lock=msgspec.json.encode(taken).decode(), revision=way.node.revision + 1)
        models.Node.objects.filter(id=node_id).update(lock=msgspec.to_builtins(taken), revision=row.revision)
        publish(
            NodeLocked(
                actor_id=actor.user_id,
                node_id=node_id,
                parent_id=way.rows[1].id,
                name=row.name,
                revision=row.revision,
                holder_id=taken.holder_id,
                holder_name=taken.holder_name,
                device=taken.device,
                stated_reason=taken.reason,
                locked_at=taken.locked_at,
                expires_at=taken.expires_at,
                is_new=taken.locked_at == now,
            )
        )
        return tx.answer(access.describe(actor, Way([row, *way.rows[1:]])))


def unlock(*, actor: Actor, node_id: UUID, force: bool) -> int | None:
    """End a lock: the actor's own, or with ``force`` whosever; returns the file's revision then, ``None`` where there was none to end."""
    with tree_transaction(holds_commits=True):
        way = access.require_known(actor, find_way(node_id, actor))
        present = find_lock(way.node.lock)
        if present is None:
            return None
        cause: UnlockCause = "released"
        if not locks.holds(actor, present):
            if not force:
                locks.require_unlocked(actor, way.node)
            access.require(actor, way, Capability.MANAGE)
            cause = "forced"
        (row,) = release([way.node], by=actor.user_id, cause=cause)
        return row.revision


def release(rows: Sequence[NodeRow], *, by: UUID | None, cause: UnlockCause) -> list[NodeRow]:
    """End the locks of files inside the open transaction, and tell of each; returns the files as they are then.

    A lock whose time was over ended by that, whatever clears it.
    """
    before = {row.id: row for row in rows if row.lock is not None}
    if not before:
        return []
    locked = models.Node.objects.filter(id__in=before)
    locked.update(lock=None, revision=F("revision") + 1)
    changed = read_rows(locked)
    for row in changed:
        stored = before[row.id].lock
        is_over = find_lock(stored) is None
        publish(
            NodeUnlocked(
                actor_id=None if is_over else by,
                node_id=row.id,
                parent_id=row.parent_id,
                name=row.name,
                revision=row.revision,
                holder_id=msgspec.json.decode(stored or "", type=Lock).holder_id,
                cause="expired" if is_over else cause,
            )
        )
    return changed


def release_all_of(user_id: UUID) -> int:
    """End all locks of somebody who has left; returns how many."""
    held = _LOCKED.filter(lock__holder_id=str(user_id)).order_by("id")
    with db.read_transaction():
        if not held.exists():
            return 0
    with tree_transaction(holds_commits=True):
        return len(release(read_rows(held), by=None, cause="departed"))


def sweep() -> int:
    """Clear locks whose time is over, and tell of it; returns how many. Nobody waits for it: they have held nothing since."""
    count = 0
    while True:
        ends_at = Cast(KeyTextTransform("expires_at", "lock"), DateTimeField())
        expired = _LOCKED.alias(ends_at=ends_at).filter(ends_at__lte=clock.now()).order_by("id")
        with db.read_transaction():
            if not expired.exists():
                return count
        with tree_transaction(holds_commits=True):
            count += len(release(read_rows(expired[:SWEEP_BATCH]), by=None, cause="expired"))


def _judge_end(expires_at: datetime, now: datetime) -> datetime:
    """Refuse an end of a lock that is over, or later than the installation allows; returns it.

    :raises BadLockEnd: it is.
    """
    latest = now + timedelta(days=settings.BITVAULT_LOCKS["longest_days"])
    if not now < expires_at <= latest:
        raise errors.BadLockEnd("A lock ends later than now, and no later than is allowed here.", latest=latest)
    return expires_at


def _require_few(actor: Actor, node_id: UUID) -> None:
    """Refuse one lock too many. Locks that have expired count until they are swept.

    :raises TooManyLocks: the actor, or the tenant, has as many as there can be.
    """
    own = Count("id", filter=Q(lock__holder_id=str(actor.user_id)))
    count = _LOCKED.exclude(id=node_id).aggregate(everyones=Count("id"), own=own)
    if count["own"] >= limits.LOCKS_OF_ONE_LIMIT:
        raise errors.TooManyLocks(limit=limits.LOCKS_OF_ONE_LIMIT)
    if count["everyones"] >= limits.LOCKS_LIMIT:
        raise errors.TooManyLocks(limit=limits.LOCKS_LIMIT)
