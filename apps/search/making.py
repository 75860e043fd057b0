"""Reading the text of a content: the bytes onto the worker's disk, the program that reads, what came of it into the index."""

import tempfile
from functools import partial
from typing import BinaryIO, cast
from uuid import UUID

import msgspec

from apps.search import contents, texts
from apps.search.models import Content, ContentState, Document
from apps.storage import api as storage
from apps.storage.api import scanned
from apps.storage.errors import BlobDamaged, BlobGone, ContentInfected, ContentWithheld
from bitvault.kernel import confined, db

PROGRAM = "apps.search.reading"

BLOBS_LIMIT = 20
"""Blobs with the same content that are tried: one of them may be gone, and all but never several."""


class NoText(Exception):
    """A content has no text that can be searched."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Task(msgspec.Struct, frozen=True):
    """What is to be read; ``reading`` tells what the fields mean."""

    kind: str
    media_type: str
    characters_limit: int = texts.CHARACTERS_LIMIT
    pages_limit: int = texts.PAGES_LIMIT
    is_beginning: bool = False
    """The file is cut already."""


def read_text(content_hash: str, *, is_last_try: bool) -> None:
    """Read the text of a content and note what came of it, or why nothing did; repeatable.

    :raises StoreUnavailable, Unconfined: not now.
    """
    with db.read_transaction():
        content = Content.objects.defer("vector").filter(content_hash=content_hash).first()
        found = Document.objects.filter(content_hash=content_hash).values_list("blob_id", flat=True).distinct()
        blob_ids = [blob_id for blob_id in found[:BLOBS_LIMIT] if blob_id is not None]
    if content is None or content.state == ContentState.READY:
        return
    if is_last_try:
        # Noted before: should this worker die of it, operators see it and nobody tries again by himself.
        contents.note_failed(content_hash, "failed")
    try:
        text, is_cut = _read(content.media_type, content.size_bytes, blob_ids)
    except ContentInfected:
        contents.note_failed(content_hash, "infected")
        return
    except ContentWithheld:
        # When it can be read, that is told, and it is asked for again; unless that was told before this was noted.
        contents.note_failed(content_hash, "withheld")
        if any(state in ("clean", "released") for state in scanned.find_scan_states(blob_ids=blob_ids).values()):
            read_text(content_hash, is_last_try=is_last_try)
        return
    except NoText as refusal:
        contents.note_failed(content_hash, refusal.reason)
        return
    contents.keep_text(content_hash, text, is_cut=is_cut)


def _read(media_type: str, size_bytes: int, blob_ids: list[UUID]) -> tuple[str, bool]:
    """Read the text of a content from the first of its blobs that is there; tells, too, whether it is only a beginning.

    :raises NoText: there is none.
    """
    obstacle, kind = texts.find_obstacle(media_type, size_bytes), texts.kind_of(media_type)
    if obstacle is not None or kind is None:
        raise NoText(obstacle or "type")
    limit_bytes = texts.PLAIN_LIMIT_BYTES if kind == "text" else texts.SOURCE_LIMIT_BYTES
    task = Task(kind=kind, media_type=texts.read_as(media_type), is_beginning=size_bytes > limit_bytes)
    with tempfile.TemporaryFile() as opened:
        file = cast("BinaryIO", opened)
        _fetch(blob_ids, limit_bytes, file)
        answer = confined.run(PROGRAM, task, file)
    if answer.refused or len(answer.bodies) != 1:
        raise NoText(answer.refused or "too_complex")
    return answer.bodies[0].decode("utf-8", "replace"), bool(answer.facts.get("is_cut"))


def _fetch(blob_ids: list[UUID], limit_bytes: int, file: BinaryIO) -> None:
    for blob_id in blob_ids:
        try:
            confined.fill(file, limit_bytes=limit_bytes, read=partial(_read_content, blob_id))
        except BlobGone:
            continue
        except BlobDamaged as damage:
            raise NoText("damaged") from damage
        return
    raise NoText("failed")


def _read_content(blob_id: UUID, first_byte: int, limit_bytes: int) -> bytes:
    return storage.read_content(blob_id=blob_id, first_byte=first_byte, limit_bytes=limit_bytes)
