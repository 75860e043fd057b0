"""What the meter does when something happened to files."""

from apps.billing import metering
from bitvault.events.api import ConsumerTransaction, consumes
from bitvault.events.catalog import files


@consumes(files.FolderCreated, consumer=metering.CONSUMER)
def count_folder(event: files.FolderCreated, tx: ConsumerTransaction) -> None:
    """Count a new folder."""
    tally = metering.gather()
    if tally.counts(tx):
        tally.add_folder(node_id=event.node_id, parent_id=event.parent_id)


@consumes(files.VersionCommitted, consumer=metering.CONSUMER)
def count_version(event: files.VersionCommitted, tx: ConsumerTransaction) -> None:
    """Count a committed version, its bytes, and the upload that brought it."""
    tally = metering.gather()
    if tally.counts(tx):
        tally.add_version(
            node_id=event.node_id,
            parent_id=event.parent_id,
            size_bytes=event.size_bytes,
            is_new_file=event.node_created,
        )
    if event.restored_from_id is None:
        tally.add_upload(tx.occurred_at.date(), event.size_bytes)


@consumes(files.VersionsDeleted, consumer=metering.CONSUMER)
def forget_versions(event: files.VersionsDeleted, tx: ConsumerTransaction) -> None:
    """Take deleted versions of a live file out of the count."""
    tally = metering.gather()
    if tally.counts(tx):
        tally.delete_versions(node_id=event.node_id, version_count=len(event.version_ids), size_bytes=event.size_bytes)


@consumes(files.NodeMoved, consumer=metering.CONSUMER)
def follow_move(event: files.NodeMoved, tx: ConsumerTransaction) -> None:
    """Keep in mind where a node hangs; another name alone is no other place."""
    tally = metering.gather()
    if event.parent_id != event.old_parent_id and tally.counts(tx):
        tally.move_node(node_id=event.node_id, parent_id=event.parent_id)


@consumes(files.NodeTrashed, consumer=metering.CONSUMER)
def count_as_trash(event: files.NodeTrashed, tx: ConsumerTransaction) -> None:
    """Count a node and all below it as trash."""
    tally = metering.gather()
    if tally.counts(tx):
        tally.trash_node(node_id=event.node_id)


@consumes(files.NodeRestored, consumer=metering.CONSUMER)
def count_as_live(event: files.NodeRestored, tx: ConsumerTransaction) -> None:
    """Count a node and all below it as live again."""
    tally = metering.gather()
    if tally.counts(tx):
        tally.restore_node(node_id=event.node_id, parent_id=event.parent_id)


@consumes(files.NodePurged, consumer=metering.CONSUMER)
def forget_purged(event: files.NodePurged, tx: ConsumerTransaction) -> None:
    """Take what is gone for ever out of the count."""
    tally = metering.gather()
    if tally.counts(tx):
        tally.purge_nodes(
            node_ids=event.purged_node_ids, version_count=len(event.blob_ids), size_bytes=event.size_bytes
        )


@consumes(files.DownloadSigned, consumer=metering.CONSUMER)
def count_download(event: files.DownloadSigned, tx: ConsumerTransaction) -> None:
    """Count a download that was allowed, with the size of what it may fetch."""
    metering.gather().add_download(tx.occurred_at.date(), event.size_bytes)
