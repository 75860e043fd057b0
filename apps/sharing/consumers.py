"""Sharing listens to files and identity: what is deleted permanently, and groups that are, take their permissions along."""

from collections.abc import Sequence

from apps.sharing import operations
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog.files import NodePurged
from bitvault.events.catalog.identity import GroupDeleted
from bitvault.kernel import db

CONSUMER = "sharing"

cannot_be_rebuilt(
    consumer=CONSUMER, because="Permissions are given by people: they are kept here and derived from nothing."
)


@consumes_batch(CONSUMER, NodePurged, GroupDeleted)
def drop_permissions(events: Sequence[Published], tx: db.Transaction) -> None:
    """Drop what was given on nodes, and to groups, that are gone; applying it again changes nothing."""
    operations.forget_groups([one.event.group_id for one in events if isinstance(one.event, GroupDeleted)])
    gone = [one.event.purged_node_ids for one in events if isinstance(one.event, NodePurged)]
    operations.forget_nodes([node_id for node_ids in gone for node_id in node_ids])
