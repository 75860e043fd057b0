"""Files listens to itself: what nodes were is written down, so that a folder can be seen and brought back as it was. It listens to
annotations for the tags that holds and retention rules are about.
"""

from collections.abc import Sequence

from apps.files import placements
from apps.files.retention import covering
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import annotations, files
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


TAGS_CONSUMER = "retention"
"""Under which name tags are followed."""

cannot_be_rebuilt(
    consumer=TAGS_CONSUMER,
    because="What lost a tag stays on hold, which no snapshot tells; a new policy names what has its tag then by a job.",
)


@consumes_batch(TAGS_CONSUMER, annotations.NodeTagged, annotations.TagChanged, annotations.TagDeleted)
def keep_tags_covered(events: Sequence[Published], tx: db.Transaction) -> None:
    """Name what has got the tag of a hold or a rule, and note what has lost it; applying them again changes nothing."""
    for published in events:
        event, at = published.event, published.occurred_at
        if isinstance(event, annotations.NodeTagged):
            covering.follow({event.node_id: event.tag_ids}, at=at)
        elif isinstance(event, annotations.TagChanged):
            covering.rename_tag(event.tag_id, event.name)
        elif isinstance(event, annotations.TagDeleted):
            covering.forget_tag([event.tag_id], at=at)
