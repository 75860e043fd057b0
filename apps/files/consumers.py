"""Files listens to itself: what nodes were is written down, so that a folder can be seen and brought back as it was."""

from collections.abc import Sequence

from apps.files import placements
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import files
from bitvault.kernel import db

cannot_be_rebuilt(
    consumer=placements.CONSUMER,
    because="What was stands in no snapshot: this record is the only one that reaches further back than the stream.",
)


@consumes_batch(
    placements.CONSUMER,
    files.FolderCreated,
    files.VersionCommitted,
    files.NodeMoved,
    files.NodeChanged,
    files.NodeLocked,
    files.NodeUnlocked,
    files.NodeTrashed,
    files.NodeRestored,
    files.NodePurged,
)
def keep_history(events: Sequence[Published], tx: db.Transaction) -> None:
    """Write down what these events have made of nodes; applying them again changes nothing."""
    placements.record(events)
