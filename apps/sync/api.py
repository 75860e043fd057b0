"""The door of sync: devices, the feed that they follow, conflicts, and tickets for sockets."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from apps.files import api as files
from apps.sync import conflicts, dtos, feed, operations, positions, queries, tickets
from apps.sync.projector import CONSUMER
from apps.sync.scopes import Grants
from bitvault.kernel import db
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.capabilities import NOTHING
from bitvault.kernel.pages import PAGE_DEFAULT, Page

__all__ = [
    "CONSUMER",
    "acknowledge",
    "begin_epoch",
    "end_device",
    "get_device",
    "get_head",
    "issue_ticket",
    "list_changes",
    "list_conflicts",
    "list_devices",
    "list_live_devices",
    "list_snapshot",
    "redeem_ticket",
    "register_device",
    "resolve_conflict",
]

# --- the feed as a whole -----------------------------------------------------------------------------------------------------


@exposed
def begin_epoch() -> None:
    """Send every device of the entered tenant to a fresh snapshot: the database was brought back to an earlier moment."""
    operations.begin_epoch()


# --- devices ---------------------------------------------------------------------------------------------------------------


@exposed
def register_device(*, actor: Actor, name: str, platform: str) -> dtos.RegisteredDevice:
    """Make a device of the actor's, with a cursor that knows nothing yet: its changes begin with all that the actor reaches.

    :raises InvalidDevice: name or platform cannot be shown.
    :raises TooManyDevices: the actor has a hundred.
    """
    actor.require_scope(Scope.FILES_READ)
    return operations.register_device(actor=actor, name=name, platform=platform)


@exposed
def list_devices(*, actor: Actor) -> Page[dtos.Device]:
    """List the actor's devices, newest first."""
    actor.require_scope(Scope.FILES_READ)
    with db.read_transaction():
        return Page(queries.list_devices(actor))


@exposed
def open_devices(*, actor: Actor) -> dtos.OpenedDevices:
    """Read the actor's devices, newest first, with how far changes can be read, in one transaction."""
    actor.require_scope(Scope.FILES_READ)
    with db.read_transaction():
        return dtos.OpenedDevices(queries.list_devices(actor), queries.get_feed_seq())


@exposed
def get_device(*, actor: Actor, device_id: UUID) -> dtos.Device:
    """Read a device of the actor's, whatever their credential may be used for.

    :raises DeviceEnded: it is no device of the actor's, or not any more.
    """
    with db.read_transaction():
        return queries.get_device(actor, device_id)


@exposed
def end_device(*, actor: Actor, device_id: UUID) -> None:
    """End a device of the actor's: its cursors are refused from now on, and its sockets close.

    :raises NotFound: it is no device of the actor's, or not any more.
    """
    actor.require_scope(Scope.FILES_READ)
    operations.end_device(actor=actor, device_id=device_id)


# --- feed ------------------------------------------------------------------------------------------------------------------


@exposed
def get_head(*, actor: Actor) -> int:
    """Tell up to which event changes can be read: what the socket says."""
    actor.require_scope(Scope.FILES_READ)
    with db.read_transaction():
        return queries.get_feed_seq()


@exposed
def list_changes(*, actor: Actor, cursor: str, limit: int = PAGE_DEFAULT) -> dtos.Changes:
    """Read what has changed for a device since its cursor; the answer's cursor is always further on.

    Entries are states: applying one twice does no harm. A node may come before its parent; where ``has_more``
    is false, every parent is there.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor was not made here for a device of the actor's.
    :raises DeviceEnded: its device was ended.
    :raises CursorExpired: it is too old, or of another epoch: take a snapshot.
    :raises SnapshotBeingMade: what is new to the device is a large tree, and a job writes it down; ask again.
    :raises SnapshotFailed: that job has failed.
    :raises TooManyRequests: too many snapshots were made for the actor's devices lately.
    """
    actor.require_scope(Scope.FILES_READ)
    position = positions.decode(cursor)
    return feed.list_changes(actor, position, _find_grants(actor), limit=limit)


@exposed
def list_snapshot(
    *, actor: Actor, device_id: UUID, cursor: str | None = None, limit: int = PAGE_DEFAULT, min_seq: int = 0
) -> dtos.SnapshotPage:
    """Read a page of all that the actor reaches, parents first, as of one instant.

    Of a small tree that is the instant of the first page; of a larger one a minute before, of a large one an hour at most, and never
    earlier than what the device has acknowledged.

    :param min_seq: as of this event at least; with a ``cursor`` it means nothing.
    :raises SnapshotBeingMade: the tree is large, and a job writes it down; ask again.
    :raises SnapshotFailed: that job has failed.
    :raises TooManyRequests: too many were made for the actor's devices lately.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor was not made here for this device's snapshots.
    :raises DeviceEnded: the device was ended, or is not the actor's.
    :raises CursorExpired: the snapshot is older than a day, or not all of it may be seen any more: take another one.
    """
    actor.require_scope(Scope.FILES_READ)
    return feed.list_snapshot(actor, device_id, cursor, _find_grants(actor), limit=limit, min_seq=min_seq)


@exposed
def acknowledge(*, actor: Actor, cursor: str) -> dtos.Acknowledged:
    """Note that a device keeps everything up to a cursor; the journal holds for it what comes behind.

    :raises BadCursor: the cursor was not made here for a device of the actor's.
    :raises DeviceEnded: its device was ended.
    :raises CursorExpired: it is too old, or of another epoch.
    """
    actor.require_scope(Scope.FILES_READ)
    return operations.acknowledge(actor=actor, position=positions.decode(cursor))


# --- conflicts -------------------------------------------------------------------------------------------------------------


@exposed
def list_conflicts(*, actor: Actor, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> dtos.ConflictPage:
    """Read a page of the open conflicts that the actor can see, newest first.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return conflicts.list_open(actor, _find_grants(actor), cursor=cursor, limit=limit)


@exposed
def resolve_conflict(
    *, actor: Actor, conflict_id: UUID, keep: dtos.Resolution, seen: dtos.SeenRevisions | None = None
) -> None:
    """Settle a conflict: ``both`` files stay, or the ``original`` or the ``copy`` does and the other goes into the trash.

    A copy that stays takes the original's name. Repeatable: who has settled it so is not refused. ``seen`` says in which revisions the
    caller has seen the two, so that no edit goes into the trash that nobody has looked at; without it, a file that was edited since the
    conflict arose stays.

    :raises NotFound: there is no such conflict whose copy the actor can see.
    :raises ConflictResolved: it was settled before, otherwise or by somebody else.
    :raises RevisionMismatch: the file that is to go is not as it was seen.
    :raises PreconditionRequired: it was edited since the conflict arose, and ``seen`` does not tell its revision.
    :raises NameTaken: another file has the original's name by now.
    """
    actor.require_scope(Scope.FILES_WRITE)
    conflicts.resolve(actor, conflict_id, _find_grants(actor), keep=keep, seen=seen or dtos.SeenRevisions())


def _find_grants(actor: Actor) -> Grants:
    """Gather what an actor was given: by who they are, as Files says, and by the permissions that they carry."""
    whole = replace(actor, folder_id=None)
    masks = {root.id: root.mask for root in files.list_reachable_roots(actor=whole)}
    for node_id in actor.reach.list_node_ids():
        masks[node_id] = masks.get(node_id, NOTHING) | actor.reach.at(node_id)
    return Grants(masks, actor.ceiling, actor.folder_id)


# --- tickets ---------------------------------------------------------------------------------------------------------------


@exposed
def issue_ticket(*, actor: Actor, device_id: UUID | None = None) -> dtos.Ticket:
    """Make a ticket that opens one socket within half a minute, as the actor; with a device, the socket ends with it.

    :raises DeviceEnded: it is no device of the actor's, or not any more.
    :raises TooManyRequests: a program asks in a loop.
    :raises Unavailable: tickets cannot be kept now.
    """
    return tickets.issue(actor=actor, device_id=device_id)


@exposed
def redeem_ticket(*, ticket: str) -> dtos.TicketHolder:
    """Take a ticket and tell whose it was; whether their credential still holds is not looked at.

    :raises InvalidTicket: it was used, is too old, or never was one.
    :raises Unavailable: tickets cannot be looked up now.
    """
    return tickets.redeem(ticket)


@exposed
def list_live_devices(*, device_ids: Collection[UUID]) -> frozenset[UUID]:
    """Tell which of these devices of the tenant have not ended."""
    with db.read_transaction():
        return queries.list_live_devices(device_ids)
