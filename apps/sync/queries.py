"""Reads: devices, the journal of some scopes, and what the replica knows of nodes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from apps.sync import dtos, sql
from apps.sync.errors import CursorExpired, DeviceEnded
from apps.sync.models import Device, DeviceCursor, Feed
from apps.sync.positions import Position
from bitvault.kernel import clock, db, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import names_of
from bitvault.kernel.pages import BadCursor


class NodeState(NamedTuple):
    """What is told of a node, in the order of ``sql.STATE``."""

    node_id: UUID
    parent_id: UUID | None
    is_folder: bool
    name: str
    revision: int
    size_bytes: int | None
    media_type: str | None
    content_hash: str | None
    version_id: UUID | None
    created_at: datetime
    modified_at: datetime
    client_modified_at: datetime | None
    created_by: UUID | None
    lock: str | None
    """JSON of ``dtos.SyncedLock``, expired or not."""


class Entry(NamedTuple):
    """A row of the journal."""

    seq: int
    ordinal: int
    node_id: UUID


class Found(NamedTuple):
    """A live node, and the ids of itself and all that it lies in, up to the root."""

    path: list[UUID]
    state: NodeState


States = dict[UUID, Found]


class Standing(NamedTuple):
    """A device's right to be answered, and how far the feed is."""

    epoch: UUID
    seq: int
    horizon: int
    user_id: UUID | None


def require_standing(actor: Actor, position: Position) -> Standing:
    """Tell how far the feed is, for a cursor that may be used by this actor, now.

    :raises DeviceEnded: its device was ended.
    :raises BadCursor: its device is somebody else's.
    :raises CursorExpired: the journal does not reach back to it, or was made anew since.
    """
    standing = _find_standing(position.device_id)
    if standing.user_id is None:
        raise DeviceEnded
    if standing.user_id != actor.user_id:
        raise BadCursor
    if position.epoch != standing.epoch or position.complete_seq < standing.horizon or position.seq > standing.seq:
        raise CursorExpired
    return standing


def require_device(actor: Actor, device_id: UUID) -> Standing:
    """Tell how far the feed is, for a live device of the actor's.

    :raises DeviceEnded: it was ended, or is somebody else's, or never was.
    """
    standing = _find_standing(device_id)
    if standing.user_id != actor.user_id:
        raise DeviceEnded
    return standing


def _find_standing(device_id: UUID) -> Standing:
    with db.prepared_cursor() as cursor:
        cursor.execute(sql.STANDING, [device_id])
        return Standing._make(cursor.fetchone())


def get_feed_seq() -> int:
    """Tell up to which event changes can be read."""
    return Feed.objects.values_list("seq", flat=True)[0]


def find_acknowledged(device_id: UUID) -> int:
    """Tell up to which event a device has acknowledged; 0 for one that never did."""
    # What a new device is given with its first cursor it has not acknowledged.
    begun_at = Device.objects.filter(id=device_id).values("created_at")
    acknowledged = DeviceCursor.objects.filter(device_id=device_id, acknowledged_at__gt=Subquery(begun_at))
    return acknowledged.values_list("seq", flat=True).first() or 0


def list_devices(actor: Actor) -> list[dtos.Device]:
    """List the actor's devices, newest first."""
    return [_to_device(device) for device in _live_devices(actor).order_by("-id")]


def get_device(actor: Actor, device_id: UUID) -> dtos.Device:
    """Read one device of the actor's.

    :raises DeviceEnded: it was ended, or is somebody else's, or never was.
    """
    device = _live_devices(actor).filter(id=device_id).first()
    if device is None:
        raise DeviceEnded
    return _to_device(device)


def _live_devices(actor: Actor) -> QuerySet[Device]:
    """List the actor's devices, each with how far it is."""
    cursor = DeviceCursor.objects.filter(device_id=OuterRef("id"))
    mine = Device.objects.filter(user_id=actor.user_id, ended_at__isnull=True)
    return mine.annotate(seq=Subquery(cursor.values("seq")), acknowledged_at=Subquery(cursor.values("acknowledged_at")))


def _to_device(device: Any) -> dtos.Device:
    return dtos.Device(
        id=device.id,
        name=device.name,
        platform=device.platform,
        created_at=device.created_at,
        seq=device.seq,
        acknowledged_at=device.acknowledged_at,
    )


def list_live_devices(device_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Tell which of these devices were not ended."""
    live = Device.objects.filter(id__in=list(device_ids), ended_at__isnull=True)
    return frozenset(live.values_list("id", flat=True))


def list_entries(scopes: Mapping[UUID, int], behind: tuple[int, int], head: int, limit: int) -> list[Entry]:
    """List the next rows of the journal in some scopes, behind a row (event, ordinal) and up to an event.

    :param scopes: the scopes, each with the event from which on its rows count.
    """
    parameters = {
        "scope_ids": list(scopes),
        "sinces": list(scopes.values()),
        "seq": behind[0],
        "ordinal": behind[1],
        "head": head,
        "limit": limit,
    }
    return [Entry._make(row) for row in fetch_all(sql.ENTRIES, parameters)]


def find_states(node_ids: Iterable[UUID]) -> States:
    """Find what nodes are now, and where; those in the trash and those that are gone are left out."""
    rows = fetch_all(sql.STATES, {"node_ids": list(node_ids)})
    return {row[0]: Found(row[-1], NodeState._make(row[:-1])) for row in rows}


def list_items(snapshot_id: UUID, *, after: int, limit: int) -> list[tuple[int, UUID, NodeState]]:
    """List items of a snapshot behind one: place, the scope or inner node that it has its mask of, state."""
    return [(row[0], row[1], NodeState._make(row[2:])) for row in fetch_all(sql.ITEMS, [snapshot_id, after, limit])]


def to_node(state: NodeState, mask: int, *, hides_parent: bool = False) -> dtos.SyncedNode:
    """Make the DTO of a state.

    :param hides_parent: the reader does not see what the node lies in.
    """
    return dtos.SyncedNode(
        id=state.node_id,
        kind="folder" if state.is_folder else "file",
        name=state.name,
        parent_id=None if hides_parent else state.parent_id,
        revision=state.revision,
        size_bytes=state.size_bytes,
        media_type=state.media_type,
        content_hash=state.content_hash,
        version_id=state.version_id,
        created_at=state.created_at,
        modified_at=state.modified_at,
        client_modified_at=state.client_modified_at,
        created_by=state.created_by,
        lock=_find_lock(state.lock),
        tags=(),
        trashed_at=None,
        capabilities=names_of(mask),
        name_problems=names.find_portability_problems(state.name),
    )


def _find_lock(stored: str | None) -> dtos.SyncedLock | None:
    """Read a lock; ``None`` when there is none, or its time is over."""
    if stored is None:
        return None
    lock = msgspec.json.decode(stored, type=dtos.SyncedLock)
    return lock if lock.expires_at > clock.now() else None


def upsert(seq: int, node: dtos.SyncedNode) -> dtos.Change:
    """Tell a device what a node is."""
    return dtos.Change(seq=seq, op="upsert", node_id=node.id, node=node)


def removal(seq: int, node_id: UUID) -> dtos.Change:
    """Tell a device that it cannot reach a node any more."""
    return dtos.Change(seq=seq, op="removed", node_id=node_id, node=None)


def fetch_all(sql: str, parameters: Any) -> list[Any]:
    """Run a statement and give its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows
