"""Which versions hold which blob, kept from the stream: what the collector will look at first."""

from apps.storage.operations import references
from bitvault.events.api import ConsumerTransaction, consumes, rebuilds
from bitvault.events.catalog import files

rebuilds(consumer=references.CONSUMER)(references.rebuild)


@consumes(files.VersionCommitted, consumer=references.CONSUMER)
def hold_blob(event: files.VersionCommitted, tx: ConsumerTransaction) -> None:
    """Note that a version holds its blob."""
    references.gather().hold(version_id=event.version_id, blob_id=event.blob_id)


@consumes(files.NodePurged, files.VersionsDeleted, consumer=references.CONSUMER)
def let_blobs_go(event: files.NodePurged | files.VersionsDeleted, tx: ConsumerTransaction) -> None:
    """Note that deleted versions hold nothing any more."""
    references.gather().let_go(version_ids=event.version_ids)
