"""What the module does when something happened to files and to bytes."""

from collections.abc import Sequence

from apps.previews import flags, operations, types
from apps.previews.operations import CONSUMER, MakePreview
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import files, scanning, storage
from bitvault.kernel import db

cannot_be_rebuilt(consumer=CONSUMER, because="A preview that is not there is made when somebody asks for it.")


@consumes_batch(CONSUMER, files.VersionCommitted, scanning.ContentOpened, storage.BlobsCollected)
def ask_for_previews(events: Sequence[Published], tx: db.Transaction) -> None:
    """Have previews made of pictures and documents that came, and forget those of bytes that went; again, it changes nothing."""
    wanted: list[MakePreview] = []
    drawn = flags.find_drawn()
    for published in events:
        match published.event:
            case scanning.ContentOpened() as event:
                # What was asked for while nobody could read it has come to nothing.
                operations.forget([event.blob_id])
                if types.kind_of(event.media_type) in drawn:
                    wanted.append(_to_wish(event))
            case files.VersionCommitted() as event:
                if types.kind_of(event.media_type) in drawn:
                    wanted.append(_to_wish(event))
            case storage.BlobsCollected() as event:
                operations.forget(event.blob_ids)
    operations.ask_for_new(wanted)


def _to_wish(event: files.VersionCommitted | scanning.ContentOpened) -> MakePreview:
    return MakePreview(
        content_hash=event.content_hash,
        part=types.PICTURE,
        blob_id=event.blob_id,
        media_type=event.media_type,
        size_bytes=event.size_bytes,
    )
