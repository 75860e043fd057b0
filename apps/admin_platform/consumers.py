"""The audit log listens to everything: one entry for each event, whatever its type."""

from apps.admin_platform import operations
from bitvault.events.api import Published, consumes_everything


@consumes_everything(consumer=operations.CONSUMER)
def record_event(published: Published) -> None:
    """Write the event down, in the transaction that moves the cursor: once, and in the stream's order."""
    operations.record_published(published)
