"""Scanning listens to files: what content came, and what went."""

from collections.abc import Sequence

from apps.scanning import operations
from apps.scanning.operations import NewContent
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import files, storage
from bitvault.kernel import db, scanning

cannot_be_rebuilt(
    consumer=operations.CONSUMER,
    because="What was released stands nowhere else. What was missed is found by its blob, which says that it waits for its scan.",
)


@consumes_batch(operations.CONSUMER, files.VersionCommitted, storage.BlobsCollected)
def ask_for_scans(events: Sequence[Published], tx: db.Transaction) -> None:
    """Have content scanned that came, where the tenant wants it, and forget what is known of bytes that went; again, it changes nothing."""
    is_on = scanning.current().mode != "off"
    wanted: list[NewContent] = []
    for published in events:
        match published.event:
            case files.VersionCommitted() as event if is_on:
                wanted.append(NewContent(event.content_hash, event.blob_id, event.size_bytes))
            case storage.BlobsCollected() as event:
                operations.forget(event.blob_ids)
    if wanted:
        operations.ask(wanted)
