"""What the module does when something happened to files."""

from collections.abc import Sequence

from apps.example_module import operations
from apps.example_module.models import Version
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import files
from bitvault.kernel import db

cannot_be_rebuilt(consumer=operations.CONSUMER, because="Say why, or register with `rebuilds` how it is rebuilt.")


@consumes_batch(operations.CONSUMER, files.VersionCommitted)
def keep_versions(events: Sequence[Published], tx: db.Transaction) -> None:
    """Keep who has committed which version; applying events again changes nothing."""
    operations.keep([row for row in map(_to_row, events) if row is not None])


def _to_row(published: Published) -> Version | None:
    match published.event:
        case files.VersionCommitted(actor_id=actor_id) as event if actor_id is not None:
            return Version(
                version_id=event.version_id,
                node_id=event.node_id,
                committed_by=actor_id,
                committed_at=published.occurred_at,
            )
    return None
