"""What is known of the text of contents: which are to be read, and what was found in them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec
from django.db.models import Exists, OuterRef

from apps.search import outgoing, texts, words
from apps.search.models import Content, ContentState, Document, Passage
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db

READ_JOB = "search.read_text"

READER = 1
"""The edition of the reader. A higher one has every text read again by the next rebuild."""

PASSAGE_CHARACTERS = 6_000
OVERLAP_CHARACTERS = 450
"""A query has 400 characters: a sentence that was looked for stands in one passage as a whole."""

WORDS_LIMIT_BYTES = 900_000
"""How much the different words of a content may take together; PostgreSQL keeps a megabyte of them."""

PLACES_LIMIT = 255
"""Places of one word in a passage that PostgreSQL keeps."""

SWEEP_SECONDS = 600
"""How long one look for contents without a document may take: it reads the whole table."""

SWEEP_BATCH = 500

STORE_SECONDS = 60
"""How long keeping a text may take: of the longest, three hundred passages."""


class ReadText(msgspec.Struct, frozen=True):
    """A content whose text is to be read."""

    content_hash: str


@dataclass(frozen=True, slots=True)
class NewContent:
    """A content that a document has now."""

    content_hash: str
    media_type: str
    size_bytes: int


def ask_for_new(wanted: Iterable[NewContent]) -> None:
    """Have the text of contents read that are not known yet (inside a write transaction); what cannot have text is noted or left out."""
    by_hash = {each.content_hash: each for each in wanted if texts.kind_of(each.media_type) is not None}
    if not by_hash:
        return
    known = Content.objects.filter(content_hash__in=by_hash).values_list("content_hash", flat=True)
    for content_hash in list(known):
        del by_hash[content_hash]
    ask(by_hash.values())


def ask(wanted: Collection[NewContent]) -> None:
    """Have the text of contents read (inside a write transaction), instead of what is known of them."""
    rows = [_to_row(each) for each in wanted]
    Content.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["content_hash"],
        update_fields=["media_type", "size_bytes", "state", "reason", "asked_at"],
    )
    waiting = {row.content_hash: ReadText(row.content_hash) for row in rows if row.state == ContentState.WAITING}
    jobs.enqueue_all(READ_JOB, waiting, by=jobs.SYSTEM)


def _to_row(wanted: NewContent) -> Content:
    obstacle = texts.find_obstacle(wanted.media_type, wanted.size_bytes)
    return Content(
        content_hash=wanted.content_hash,
        media_type=wanted.media_type,
        size_bytes=wanted.size_bytes,
        state=ContentState.WAITING if obstacle is None else ContentState.FAILED,
        reason=obstacle or "",
        reader=0 if obstacle is None else READER,
        asked_at=clock.now(),
    )


def ask_again(content_hashes: Collection[str]) -> None:
    """Have the text of contents read that could not be read before (inside a write transaction)."""
    failed = Content.objects.filter(
        content_hash__in=content_hashes, state=ContentState.FAILED, reason__in=("infected", "withheld")
    )
    ask([NewContent(row.content_hash, row.media_type, row.size_bytes) for row in failed.defer("vector")])


def forget_unused(content_hashes: Collection[str]) -> None:
    """Forget the texts of those contents that no document has any more (inside a write transaction)."""
    asked = {content_hash for content_hash in content_hashes if content_hash}
    if not asked:
        return
    used = Document.objects.filter(content_hash=OuterRef("content_hash"))
    unused = Content.objects.filter(~Exists(used), content_hash__in=asked)
    gone = list(unused.select_for_update().values_list("content_hash", flat=True))
    if gone:
        Passage.objects.filter(content_hash__in=gone).delete()
        Content.objects.filter(content_hash__in=gone).delete()


def bring_up_to_date() -> None:
    """Forget what no document has, and ask for every text that is missing, or that an older reader or a failing machine had; in steps."""
    with db.write_transaction():
        db.set_statement_timeout(seconds=SWEEP_SECONDS)
        used = Document.objects.filter(content_hash=OuterRef("content_hash"))
        Passage.objects.filter(~Exists(used)).delete()
        Content.objects.filter(~Exists(used)).delete()
    last = ""
    while True:
        with db.write_transaction():
            rows = Document.objects.filter(content_hash__gt=last).order_by("content_hash").distinct("content_hash")
            facts = rows.values_list("content_hash", "media_type", "size_bytes")[:SWEEP_BATCH]
            found = [NewContent(content_hash, media_type, size or 0) for content_hash, media_type, size in facts]
            done = Content.objects.filter(content_hash__in=[each.content_hash for each in found], reader=READER)
            done_hashes = set(done.exclude(reason="failed").values_list("content_hash", flat=True))
            ask(
                [
                    each
                    for each in found
                    if each.content_hash not in done_hashes and texts.kind_of(each.media_type) is not None
                ]
            )
        if len(found) < SWEEP_BATCH:
            return
        last = found[-1].content_hash


def ask_for_failed() -> int:
    """Have texts read again that could not be for a reason that was not the file's; returns how many."""
    with db.write_transaction():
        rows = Content.objects.filter(state=ContentState.FAILED, reason="failed").order_by("content_hash")
        facts = rows.values_list("content_hash", "media_type", "size_bytes")[:SWEEP_BATCH]
        found = [NewContent(*each) for each in facts]
        ask(found)
    return len(found)


def note_failed(content_hash: str, reason: str) -> None:
    """Note that the text of a content is not searched, and why."""
    with db.write_transaction():
        Passage.objects.filter(content_hash=content_hash).delete()
        Content.objects.filter(content_hash=content_hash).update(
            state=ContentState.FAILED, reason=reason, reader=READER, vector=None, is_cut=False
        )
        outgoing.note_contents([content_hash])


def keep_text(content_hash: str, text: str, *, is_cut: bool) -> None:
    """Keep the text of a content, unless no document has it any more; repeatable."""
    passages = [(part, list(words.read_words(part))) for part in cut_passages(text)]
    rows = [
        Passage(content_hash=content_hash, number=number, text=part, vector=write_places(forms))
        for number, (part, forms) in enumerate(passages)
    ]
    every = dict.fromkeys(word for _, forms in passages for each in forms for word in each)
    kept = _limit(every)
    with db.write_transaction():
        db.set_statement_timeout(seconds=STORE_SECONDS)
        if Content.objects.select_for_update().filter(content_hash=content_hash).values_list("state").first() is None:
            return
        Passage.objects.filter(content_hash=content_hash).delete()
        Passage.objects.bulk_create(rows, batch_size=100)
        Content.objects.filter(content_hash=content_hash).update(
            state=ContentState.READY,
            reason="",
            reader=READER,
            vector=" ".join(f"'{word}'" for word in kept),
            is_cut=is_cut or len(kept) < len(every),
        )
        outgoing.note_contents([content_hash])


def cut_passages(text: str) -> list[str]:
    """Cut a text into passages that begin and end between words, each within the end of the one before."""
    passages: list[str] = []
    begin = 0
    while True:
        end = begin + PASSAGE_CHARACTERS
        if end >= len(text):
            return [*passages, text[begin:]]
        end = _find_border(text, end, end - OVERLAP_CHARACTERS)
        passages.append(text[begin:end])
        begin = _find_border(text, end - OVERLAP_CHARACTERS, end - 2 * OVERLAP_CHARACTERS)


def _find_border(text: str, at: int, least: int) -> int:
    """Find where a word begins, before a place; where none begins for long, the place itself."""
    space = max(text.rfind(" ", least, at), text.rfind("\n", least, at))
    return at if space < 0 else space + 1


def _limit(every: Iterable[str]) -> list[str]:
    kept, taken = [], 0
    for word in every:
        taken += len(word.encode()) + 4
        if taken > WORDS_LIMIT_BYTES:
            break
        kept.append(word)
    return kept


def write_places(forms: list[tuple[str, ...]]) -> str:
    """Write a vector with the places of words; the forms of a word share one."""
    places: dict[str, list[str]] = {}
    for place, each in enumerate(forms, start=1):
        for word in each:
            places.setdefault(word, []).append(str(place))
    return " ".join(f"'{word}':{','.join(where[:PLACES_LIMIT])}" for word, where in places.items())
