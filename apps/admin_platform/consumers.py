"""The audit log listens to everything: one entry for each event, whatever its type."""

from collections.abc import Sequence

from apps.admin_platform import operations
from apps.admin_platform.siem import waking
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.kernel import db

cannot_be_rebuilt(
    consumer=operations.CONSUMER,
    because="The audit log is no derivation: entries are never written twice, and those of denied accesses stand in no event.",
)


@consumes_batch(operations.CONSUMER, everything=True)
def record_events(events: Sequence[Published], tx: db.Transaction) -> None:
    """Write the events down, in the transaction that moves the cursor: each once, in the stream's order."""
    operations.append([operations.entry_of(published) for published in events])
    waking.wake()
