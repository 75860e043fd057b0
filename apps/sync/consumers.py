"""Sync listens to files: what happens there is gathered for the length of one transaction and projected at its end."""

from typing import Any

from apps.sync import projector, rebuilding
from apps.sync.projector import CONSUMER
from bitvault.events.api import ConsumerTransaction, Published, call_promptly, consumes, consumes_everything, rebuilds
from bitvault.events.catalog.files import (
    FolderCreated,
    NodeChanged,
    NodeMoved,
    NodePurged,
    NodeRestored,
    NodeTrashed,
    TeamAccessChanged,
    VersionCommitted,
)

rebuilds(consumer=CONSUMER)(rebuilding.rebuild)
call_promptly(CONSUMER)  # open sockets wait for it


@consumes_everything(consumer=CONSUMER)
def note_how_far(published: Published) -> None:
    """Let the feed come as far as the stream, also by events that do not concern it."""
    projector.gather().note(published.seq)


@consumes(FolderCreated, consumer=CONSUMER)
def project_folder(event: FolderCreated, tx: ConsumerTransaction) -> None:
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
    projector.gather().put(tx, event.node_id, state, is_new=True)


@consumes(VersionCommitted, consumer=CONSUMER)
def project_version(event: VersionCommitted, tx: ConsumerTransaction) -> None:
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
    projector.gather().put(tx, event.node_id, state, is_new=event.node_created)
    if event.conflict_with_id is not None:
        projector.gather().open_conflict(tx, event)


@consumes(NodeMoved, consumer=CONSUMER)
def project_move(event: NodeMoved, tx: ConsumerTransaction) -> None:
    """Show another name or place: one row, whatever lies below."""
    state = {"parent_id": event.parent_id, "name": event.name, "revision": event.revision, **_list_told(event)}
    if event.parent_id == event.old_parent_id:
        projector.gather().put(tx, event.node_id, state)
    else:
        projector.gather().put_away(tx, event.node_id, state, is_folder=event.kind == "folder")


@consumes(NodeChanged, consumer=CONSUMER)
def project_change(event: NodeChanged, tx: ConsumerTransaction) -> None:
    """Show when a device says that a node changed."""
    state = {
        "parent_id": event.parent_id,
        "client_modified_at": event.client_modified_at,
        "revision": event.revision,
    }
    projector.gather().put(tx, event.node_id, state)


@consumes(NodeTrashed, consumer=CONSUMER)
def project_trashing(event: NodeTrashed, tx: ConsumerTransaction) -> None:
    """Cut a node off: one row, whatever lies below."""
    state = {"parent_id": None, "is_trashed": True, "revision": event.revision}
    projector.gather().put_away(tx, event.node_id, state, is_folder=event.kind == "folder")


@consumes(NodeRestored, consumer=CONSUMER)
def project_return(event: NodeRestored, tx: ConsumerTransaction) -> None:
    """Show a node and all below it again: a row for each, for devices have dropped them."""
    state = {"parent_id": event.parent_id, "is_trashed": False, "name": event.name, "revision": event.revision}
    projector.gather().bring_back(tx, event.node_id, {**state, **_list_told(event)})


def _list_told(event: NodeMoved | NodeRestored) -> dict[str, Any]:
    """Give what an event says beside name and place; what it does not say stays as it was, in the replica and in the batch."""
    told = {"media_type": event.media_type, "client_modified_at": getattr(event, "client_modified_at", None)}
    return {name: value for name, value in told.items() if value is not None}


@consumes(TeamAccessChanged, consumer=CONSUMER)
def project_access(event: TeamAccessChanged, tx: ConsumerTransaction) -> None:
    """Show a team folder anew to those who keep it: their rights may be others. Who has lost or gained it is found when they read."""
    projector.gather().put(tx, event.node_id, {"parent_id": None, "revision": event.revision})


@consumes(NodePurged, consumer=CONSUMER)
def project_purge(event: NodePurged, tx: ConsumerTransaction) -> None:
    """Forget nodes that devices have dropped when they went into the trash."""
    projector.gather().forget(event.purged_node_ids)
