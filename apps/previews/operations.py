"""What is known of previews, and asking for one."""

from collections.abc import Collection, Iterable
from uuid import UUID

import msgspec

from apps.previews.models import Preview, PreviewState
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db

CONSUMER = "previews"
"""Under which name the module reads the stream."""

MAKE_JOB = "previews.make"


class MakePreview(msgspec.Struct, frozen=True):
    """A part of a content. The type is what its sender says."""

    content_hash: str
    part: str
    blob_id: UUID
    media_type: str
    size_bytes: int

    @property
    def key(self) -> str:
        """Name it among all jobs of the kind."""
        return f"{self.content_hash}:{self.part}"


def ask(wanted: Collection[MakePreview]) -> None:
    """Have previews made (inside a write transaction). What is asked for already is not asked for twice."""
    jobs.enqueue_all(MAKE_JOB, {each.key: each for each in wanted}, by=jobs.SYSTEM)
    rows = [
        Preview(
            content_hash=each.content_hash,
            part=each.part,
            blob_id=each.blob_id,
            state=PreviewState.MAKING,
            asked_at=clock.now(),
        )
        for each in wanted
    ]
    Preview.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["content_hash", "part"],
        update_fields=["blob_id", "state", "asked_at"],
    )


def ask_alone(wanted: Collection[MakePreview]) -> None:
    """Have previews made, in a transaction of its own."""
    if wanted:
        with db.write_transaction():
            ask(wanted)


def ask_for_new(wanted: Iterable[MakePreview]) -> None:
    """Have previews made of contents of which none is known yet (inside a write transaction)."""
    by_content = {each.content_hash: each for each in wanted}
    known = Preview.objects.filter(content_hash__in=by_content).values_list("content_hash", flat=True)
    for content_hash in set(known):
        del by_content[content_hash]
    if by_content:
        ask(list(by_content.values()))


def note_ready(*, content_hash: str, part: str, page_count: int | None) -> None:
    """Note that a preview is there."""
    with db.write_transaction():
        Preview.objects.filter(content_hash=content_hash, part=part).update(
            state=PreviewState.READY, reason="", page_count=page_count
        )


def note_failed(*, content_hash: str, part: str, reason: str) -> None:
    """Note that there will be no preview, and why."""
    with db.write_transaction():
        Preview.objects.filter(content_hash=content_hash, part=part).update(state=PreviewState.FAILED, reason=reason)


def forget_part(*, content_hash: str, part: str) -> None:
    """Forget that a preview was asked for: whoever asks next has it made."""
    with db.write_transaction():
        Preview.objects.filter(content_hash=content_hash, part=part).delete()


def forget(blob_ids: Collection[UUID]) -> None:
    """Forget what is known of deleted blobs (inside a write transaction). Where another blob has the content it is made anew."""
    Preview.objects.filter(blob_id__in=blob_ids).delete()
