"""Making a preview: the bytes onto the worker's disk, the program that draws, what came of it into the store."""

import tempfile
from collections.abc import Mapping
from functools import partial
from typing import BinaryIO, cast
from uuid import UUID

from apps.files.errors import NoPreview
from apps.previews import flags, operations, running, types
from apps.previews.operations import MakePreview
from apps.storage import api as storage
from apps.storage.dtos import NewDerived
from apps.storage.errors import BlobDamaged, BlobGone, ContentInfected, ContentWithheld, StoreFull
from bitvault.kernel import confined
from bitvault.kernel.errors import Unavailable


def make(wanted: MakePreview, *, is_last_try: bool) -> None:
    """Make a preview and note what came of it; repeatable.

    :raises NoPreview: there will be none; that is noted, too.
    :raises StoreUnavailable, StoreFull, Unconfined: not now; it is made when somebody asks for it later.
    """
    if wanted.part != types.TEXT and types.kind_of(wanted.media_type) not in flags.find_drawn():
        # Switched off since it was asked for; what was never drawn is asked for again once it is on.
        operations.forget_part(content_hash=wanted.content_hash, part=wanted.part)
        return
    if is_last_try:
        # Noted before: should this worker die of it, nobody asks for it again.
        operations.note_failed(content_hash=wanted.content_hash, part=wanted.part, reason="failed")
    try:
        page_count = _make(wanted)
    except ContentInfected:
        operations.note_failed(content_hash=wanted.content_hash, part=wanted.part, reason="infected")
        raise NoPreview("infected") from None
    except ContentWithheld:
        if is_last_try:
            operations.forget_part(content_hash=wanted.content_hash, part=wanted.part)
        return  # when it can be read, that is told, and it is asked for again
    except BlobGone:
        return  # the content was deleted meanwhile, and what is known of it goes as well
    except (Unavailable, StoreFull):
        if is_last_try:
            operations.forget_part(content_hash=wanted.content_hash, part=wanted.part)
        raise
    except NoPreview as refusal:
        operations.note_failed(content_hash=wanted.content_hash, part=wanted.part, reason=refusal.reason)
        raise
    operations.note_ready(content_hash=wanted.content_hash, part=wanted.part, page_count=page_count)


def _make(wanted: MakePreview) -> int | None:
    kind = types.kind_of(wanted.media_type)
    if wanted.part == types.TEXT:
        kind, limit_bytes = "text", types.TEXT_LIMIT_BYTES
    else:
        limit_bytes = types.SOURCE_LIMIT_BYTES
        if kind not in ("image", "pdf"):
            raise NoPreview("type")
        if wanted.size_bytes > limit_bytes:
            raise NoPreview("too_large")
    with tempfile.TemporaryFile() as opened:
        file = cast("BinaryIO", opened)
        try:
            confined.fill(file, limit_bytes=limit_bytes, read=partial(_read, wanted.blob_id))
        except BlobDamaged as damage:
            raise NoPreview("damaged") from damage
        drawn = running.run(_to_task(wanted.part, kind), file)
    if drawn.refused:
        raise NoPreview(drawn.refused)
    made = [NewDerived(name=name, media_type=media_type, body=body) for name, media_type, body in drawn.objects]
    storage.keep_derived(blob_id=wanted.blob_id, content_hash=wanted.content_hash, made=made)
    return drawn.page_count


def _read(blob_id: UUID, first_byte: int, limit_bytes: int) -> bytes:
    return storage.read_content(blob_id=blob_id, first_byte=first_byte, limit_bytes=limit_bytes)


def _to_task(part: str, kind: str) -> running.Task:
    if part.startswith("page-"):
        edges: Mapping[str, int] = {part: types.EDGES["large"]}
        return running.Task(kind=kind, part=part, edges=edges, page=int(part.removeprefix("page-")))
    return running.Task(kind=kind, part=part, edges=types.EDGES)
