"""Search listens to files and annotations: names, places, types, sizes, times, locks, legal holds, tags, which content files have
and what is written about nodes, as they are told.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.search import contents, described, rebuilding
from apps.search.engine import CONSUMER, SHAPE
from apps.search.indexing import Batch
from bitvault.events.api import Published, consumes_batch, rebuilds
from bitvault.events.catalog import annotations, files, scanning
from bitvault.kernel import db

rebuilds(consumer=CONSUMER, shape=SHAPE)(rebuilding.rebuild)


@consumes_batch(
    CONSUMER,
    files.FolderCreated,
    files.VersionCommitted,
    files.NodeMoved,
    files.NodeLocked,
    files.NodeUnlocked,
    files.NodeTrashed,
    files.NodeRestored,
    files.NodePurged,
    files.RetentionStarted,
    files.RetentionLifted,
    annotations.NodeTagged,
    annotations.TagDeleted,
    annotations.CommentAdded,
    annotations.CommentChanged,
    annotations.CommentDeleted,
    annotations.DescriptionChanged,
    annotations.MetadataChanged,
    annotations.TemplateChanged,
    annotations.TemplateDeleted,
    scanning.ContentOpened,
)
def keep_index_current(events: Sequence[Published], tx: db.Transaction) -> None:
    """Bring the index up to these events; applying them again changes nothing."""
    batch = Batch()
    for published in events:
        _tell(batch, published)
    batch.write(seq=events[0].seq if events else None)
    opened = [one.event.content_hash for one in events if isinstance(one.event, scanning.ContentOpened)]
    if opened:
        contents.ask_again(opened)


def _tell(batch: Batch, published: Published) -> None:
    """Say what an event says."""
    _tell_of_holds(batch, published)
    if not _tell_of_node(batch, published):
        _tell_of_annotations(batch, published)


def _tell_of_node(batch: Batch, published: Published) -> bool:
    """Say what a node is after an event; what happens to a folder rewrites nothing below it. Tells whether the event is of a node."""
    match published.event:
        case files.FolderCreated() as event:
            batch.put(
                event.node_id,
                is_folder=True,
                parent_id=event.parent_id,
                name=event.name,
                created_by=event.actor_id,
                modified_at=event.created_at,
                revision=event.revision,
            )
        case files.VersionCommitted() as event:
            batch.put(
                event.node_id,
                parent_id=event.parent_id,
                name=event.name,
                size_bytes=event.size_bytes,
                media_type=event.media_type,
                modified_at=event.modified_at,
                revision=event.revision,
                content_hash=event.content_hash,
                blob_id=event.blob_id,
                **_describe_new(event.actor_id) if event.node_created else {},
            )
        case files.NodeMoved() | files.NodeRestored() as event:
            told = {} if event.media_type is None else {"media_type": event.media_type}
            batch.put(
                event.node_id,
                parent_id=event.parent_id,
                name=event.name,
                is_trashed=False,
                revision=event.revision,
                **told,
            )
        case files.NodeLocked() as event:
            batch.put(event.node_id, locked_until=event.expires_at, revision=event.revision)
        case files.NodeUnlocked() as event:
            batch.put(event.node_id, locked_until=None, revision=event.revision)
        case files.NodeTrashed() as event:
            batch.put(event.node_id, parent_id=None, is_trashed=True, revision=event.revision)
        case files.NodePurged() as event:
            batch.forget(event.purged_node_ids)
        case _:
            return False
    return True


def _tell_of_holds(batch: Batch, published: Published) -> None:
    """Say what begins or ends to be on legal hold, and what holds follow: places and tags."""
    match published.event:
        case files.RetentionStarted() as event if event.kind == "hold":
            batch.holds.start(event.policy_id, node_id=event.node_id, tag_id=event.tag_id, seq=published.seq)
        case files.RetentionLifted() as event:
            batch.holds.lift(event.policy_id, seq=published.seq)
        case files.FolderCreated() | files.NodeRestored() as event:
            batch.holds.place(event.node_id, old_parent_id=None, parent_id=event.parent_id, seq=published.seq)
        case files.NodeMoved() as event:
            places = {"old_parent_id": event.old_parent_id, "parent_id": event.parent_id}
            batch.holds.place(event.node_id, **places, seq=published.seq)
        case files.NodeTrashed() as event:
            batch.holds.place(event.node_id, old_parent_id=event.old_parent_id, parent_id=None, seq=published.seq)
        case annotations.NodeTagged() as event:
            batch.holds.tag(event.node_id, event.tag_ids, seq=published.seq)


def _tell_of_annotations(batch: Batch, published: Published) -> None:
    """Say what is noted on a node."""
    match published.event:
        case annotations.CommentAdded() | annotations.CommentChanged() as event:
            batch.remarks.write_down(
                event.comment_id, node_id=event.node_id, thread_id=event.thread_id, seq=published.seq
            )
        case annotations.CommentDeleted() as event:
            batch.remarks.remove(event.comment_id, seq=published.seq)
        case annotations.DescriptionChanged() as event if event.is_removed:
            batch.remarks.remove(event.node_id, seq=published.seq)
        case annotations.DescriptionChanged() as event:
            batch.remarks.write_down(event.node_id, node_id=event.node_id, thread_id=None, seq=published.seq)
        case annotations.NodeTagged() as event:
            batch.tags.put(event.node_id, event.tag_ids, seq=published.seq)
        case annotations.TagDeleted() as event:
            batch.tags.delete(event.tag_id, seq=published.seq)
        case annotations.MetadataChanged() as event:
            values = described.write_values(list(zip(event.field_ids, event.kinds, event.values, strict=True)))
            batch.metadata.put(event.node_id, values, seq=published.seq)
        case annotations.TemplateChanged() | annotations.TemplateDeleted() as event:
            batch.metadata.remove(event.removed_field_ids)


def _describe_new(actor_id: UUID | None) -> dict[str, Any]:
    return {"is_folder": False, "created_by": actor_id}
