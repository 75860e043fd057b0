"""Annotations listen to files and identity: what somebody worked with, what is deleted permanently, and who has left."""

from collections.abc import Sequence

from apps.annotations.operations import copies, describing, descriptions, forgetting, recents, tagging
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import files, identity
from bitvault.kernel import db

CONSUMER = "annotations"
"""Under which name annotations read the stream."""

cannot_be_rebuilt(
    consumer=CONSUMER,
    because="What people note is kept here and derived from nothing; recents come again with what people do.",
)


@consumes_batch(
    CONSUMER,
    files.FolderCreated,
    files.VersionCommitted,
    files.DownloadSigned,
    files.NodeMoved,
    files.NodePurged,
    identity.MemberRemoved,
)
def keep_annotations_current(events: Sequence[Published], tx: db.Transaction) -> None:
    """Note what people worked with, give copies what was noted on the original, forget what is gone; repeatable."""
    recents.note(events)
    copied = copies.list_copies(events)
    if copied:
        tagging.carry_to_copies(copied)
        describing.carry_to_copies(copied)
        descriptions.carry_to_copies(copied)
    forgetting.forget_nodes(
        [node_id for one in events if isinstance(one.event, files.NodePurged) for node_id in one.event.purged_node_ids]
    )
    forgetting.forget_people([one.event.user_id for one in events if isinstance(one.event, identity.MemberRemoved)])
