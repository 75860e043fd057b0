"""Sync listens to files: what happens there is gathered for the length of one transaction and projected at its end."""

from collections.abc import Sequence
from typing import Any

import msgspec

from apps.sync import dtos, rebuilding
from apps.sync.projector import CONSUMER, Batch
from apps.sync.sql import NO_LOCK
from bitvault.events.api import Published, call_promptly, consumes_batch, rebuilds
from bitvault.events.catalog.files import (
    FolderCreated,
    NodeChanged,
    NodeLocked,
    NodeMoved,
    NodePurged,
    NodeRestored,
    NodeTrashed,
    NodeUnlocked,
    TeamAccessChanged,
    VersionCommitted,
)
from bitvault.events.catalog.sharing import ShareGranted
from bitvault.kernel import db

rebuilds(consumer=CONSUMER)(rebuilding.rebuild)
call_promptly(CONSUMER)  # open sockets wait for it


@consumes_batch(
    CONSUMER,
    FolderCreated,
    VersionCommitted,
    NodeMoved,
    NodeChanged,
    NodeLocked,
    NodeUnlocked,
    NodeTrashed,
    NodeRestored,
    TeamAccessChanged,
    NodePurged,
    ShareGranted,
    everything=True,
)
def project(events: Sequence[Published], tx: db.Transaction) -> None:
    """Bring replica, journal and feed up to these events: the feed also by those that do not concern it."""
    batch = Batch()
    for published in events:
        batch.note(published.seq)
        _project_one(batch, published)
    batch.project(tx)


def _project_one(batch: Batch, published: Published) -> None:
    match published.event:
        case FolderCreated() as event:
            project_folder(batch, event, published)
        case VersionCommitted() as event:
            project_version(batch, event, published)
        case NodeMoved() as event:
            project_move(batch, event, published)
        case NodeTrashed() as event:
            project_trashing(batch, event, published)
        case NodeRestored() as event:
            project_return(batch, event, published)
        case NodePurged() as event:
            # Devices have dropped them when they went into the trash.
            batch.forget(event.purged_node_ids)
        case ShareGranted() as event:
            # Who has gained or lost it is found when they read; here it is known that somebody may have it.
            batch.share(published, event.node_id)
        case _:
            _project_detail(batch, published)


def _project_detail(batch: Batch, published: Published) -> None:
    """Show what is said of a node beside its name, place and content."""
    match published.event:
        case NodeChanged() as event:
            project_change(batch, event, published)
        case NodeLocked() | NodeUnlocked() as event:
            project_lock(batch, event, published)
        case TeamAccessChanged() as event:
            project_access(batch, event, published)


def project_folder(batch: Batch, event: FolderCreated, published: Published) -> None:
    """Show a new folder."""
    state = {
        "parent_id": event.parent_id,
        "is_folder": True,
        "name": event.name,
        "revision": event.revision,
        "created_at": event.created_at,
        "modified_at": event.created_at,
        "created_by": event.actor_id,
    }
    batch.put(published, event.node_id, state, is_new=True)


def project_version(batch: Batch, event: VersionCommitted, published: Published) -> None:
    """Show a new file, or what a file contains now; a conflicting copy is noted as one."""
    state = {
        "parent_id": event.parent_id,
        "name": event.name,
        "revision": event.revision,
        "size_bytes": event.size_bytes,
        "media_type": event.media_type,
        "content_hash": event.content_hash,
        "version_id": event.version_id,
        "modified_at": event.modified_at,
        "client_modified_at": event.client_modified_at,
    }
    if event.node_created:
        state.update(is_folder=False, created_at=event.modified_at, created_by=event.actor_id)
    batch.put(published, event.node_id, state, is_new=event.node_created)
    if event.conflict_with_id is not None:
        batch.open_conflict(published, event, original_id=event.conflict_with_id)


def project_move(batch: Batch, event: NodeMoved, published: Published) -> None:
    """Show another name or place: one row, whatever lies below."""
    state = {"parent_id": event.parent_id, "name": event.name, "revision": event.revision, **_list_told(event)}
    if event.parent_id == event.old_parent_id:
        batch.put(published, event.node_id, state)
    else:
        batch.put_away(published, event.node_id, state, is_folder=event.kind == "folder")


def project_change(batch: Batch, event: NodeChanged, published: Published) -> None:
    """Show when a device says that a node changed."""
    state = {
        "parent_id": event.parent_id,
        "client_modified_at": event.client_modified_at,
        "revision": event.revision,
    }
    batch.put(published, event.node_id, state)


def project_lock(batch: Batch, event: NodeLocked | NodeUnlocked, published: Published) -> None:
    """Show who alone may change a file now, or that everybody may who may edit it."""
    stored = NO_LOCK
    if isinstance(event, NodeLocked):
        lock = dtos.SyncedLock(
            holder_id=event.holder_id,
            holder_name=event.holder_name,
            device=event.device,
            reason=event.stated_reason,
            locked_at=event.locked_at,
            expires_at=event.expires_at,
        )
        stored = msgspec.json.encode(lock).decode()
    batch.put(published, event.node_id, {"parent_id": event.parent_id, "revision": event.revision, "lock": stored})


def project_trashing(batch: Batch, event: NodeTrashed, published: Published) -> None:
    """Cut a node off: one row, whatever lies below."""
    state = {"parent_id": None, "is_trashed": True, "revision": event.revision}
    batch.put_away(published, event.node_id, state, is_folder=event.kind == "folder")


def project_return(batch: Batch, event: NodeRestored, published: Published) -> None:
    """Show a node and all below it again: a row for each, for devices have dropped them."""
    state = {"parent_id": event.parent_id, "is_trashed": False, "name": event.name, "revision": event.revision}
    batch.bring_back(published, event.node_id, {**state, **_list_told(event)})


def _list_told(event: NodeMoved | NodeRestored) -> dict[str, Any]:
    """Give what an event says beside name and place; what it does not say stays as it was, in the replica and in the batch."""
    told = {"media_type": event.media_type, "client_modified_at": getattr(event, "client_modified_at", None)}
    return {name: value for name, value in told.items() if value is not None}


def project_access(batch: Batch, event: TeamAccessChanged, published: Published) -> None:
    """Show a team folder anew to those who keep it: their rights may be others. Who has lost or gained it is found when they read."""
    batch.put(published, event.node_id, {"parent_id": None, "revision": event.revision})
