"""What the meter does when something happened to files."""

from collections.abc import Sequence

from apps.billing import metering
from bitvault.events.api import Published, consumes_batch
from bitvault.events.catalog import files, links
from bitvault.kernel import db

_DOWNLOADS = (files.DownloadSigned, files.ArchiveSigned, links.LinkDownloaded)


@consumes_batch(
    metering.CONSUMER,
    files.FolderCreated,
    files.VersionCommitted,
    files.NodeMoved,
    files.NodeTrashed,
    files.NodeRestored,
    files.NodePurged,
    files.VersionsDeleted,
    files.DownloadSigned,
    files.ArchiveSigned,
    links.LinkDownloaded,
)
def keep_meter_current(events: Sequence[Published], tx: db.Transaction) -> None:
    """Bring the meter up to these events; it counts each event once, since it moves with the consumer's cursor."""
    tally = metering.Tally()
    for published in events:
        _add_flow(tally, published)
        if not isinstance(published.event, _DOWNLOADS) and tally.counts(published):
            _add_change(tally, published)
    tally.write()


def _add_flow(tally: metering.Tally, published: Published) -> None:
    """Count what happened on a day: uploads, which a version that is brought back is not, and downloads by the size they may fetch."""
    day = published.occurred_at.date()
    match published.event:
        case files.VersionCommitted(restored_from_id=None, copied_from_id=None) as event:
            tally.add_upload(day, event.size_bytes)
        case files.DownloadSigned() | files.ArchiveSigned() | links.LinkDownloaded() as event:
            tally.add_download(day, event.size_bytes)


def _add_change(tally: metering.Tally, published: Published) -> None:
    """Count what became of the tree; another name alone is no other place."""
    match published.event:
        case files.FolderCreated() as event:
            tally.add_folder(node_id=event.node_id, parent_id=event.parent_id)
        case files.VersionCommitted() as event:
            tally.add_version(
                node_id=event.node_id,
                parent_id=event.parent_id,
                size_bytes=event.size_bytes,
                is_new_file=event.node_created,
            )
        case files.NodeMoved() as event if event.parent_id != event.old_parent_id:
            tally.move_node(node_id=event.node_id, parent_id=event.parent_id)
        case files.NodeTrashed() as event:
            tally.trash_node(node_id=event.node_id)
        case files.NodeRestored() as event:
            tally.restore_node(node_id=event.node_id, parent_id=event.parent_id)
        case files.NodePurged() as event:
            tally.purge_nodes(
                node_ids=event.purged_node_ids, version_count=len(event.blob_ids), size_bytes=event.size_bytes
            )
        case files.VersionsDeleted() as event:
            tally.delete_versions(
                node_id=event.node_id, version_count=len(event.version_ids), size_bytes=event.size_bytes
            )
