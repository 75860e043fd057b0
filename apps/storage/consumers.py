"""Which versions hold which blob, kept from the stream: what the collector will look at first."""

from collections.abc import Sequence

from apps.storage.operations import references
from bitvault.events.api import Published, consumes_batch, rebuilds
from bitvault.events.catalog import files
from bitvault.kernel import db

rebuilds(consumer=references.CONSUMER)(references.rebuild)


@consumes_batch(references.CONSUMER, files.VersionCommitted, files.NodePurged, files.VersionsDeleted)
def keep_references_current(events: Sequence[Published], tx: db.Transaction) -> None:
    """Note which versions hold a blob, and that deleted ones hold nothing any more; applying events again changes nothing."""
    references.apply([published.event for published in events])
