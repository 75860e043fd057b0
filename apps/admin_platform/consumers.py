"""The audit log listens to everything: one entry for each event, whatever its type."""

from apps.admin_platform import operations
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_everything

cannot_be_rebuilt(
    consumer=operations.CONSUMER,
    because="The audit log is no derivation: entries are never written twice, and those of denied accesses stand in no event.",
)


@consumes_everything(consumer=operations.CONSUMER)
def record_event(published: Published) -> None:
    """Write the event down, in the transaction that moves the cursor: once, and in the stream's order."""
    operations.record_published(published)
