"""Links listen to files: what leads to something that is gone for ever has ended, and counts no more."""

from collections.abc import Sequence

from apps.links.models import Link
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog.files import NodePurged
from bitvault.kernel import clock, db

CONSUMER = "links"

cannot_be_rebuilt(consumer=CONSUMER, because="Links are made by people: they are kept here and derived from nothing.")


@consumes_batch(CONSUMER, NodePurged)
def end_links(events: Sequence[Published], tx: db.Transaction) -> None:
    """End the links of nodes that are gone; applying it again changes nothing."""
    gone = [node_id for one in events if isinstance(one.event, NodePurged) for node_id in one.event.purged_node_ids]
    Link.objects.filter(node_id__in=gone, ended_at=None).update(ended_at=clock.now())
