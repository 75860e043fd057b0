"""Searching: candidates come from the engine, and Files says which of them the caller may see, at this moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.files import api as files
from apps.files.dtos import FoundNode
from apps.search import engine, marking, states, text_engine, words
from apps.search.dtos import Highlight, Hit, Results, SortName, Suggestion
from apps.search.engine import Candidate, Position
from apps.search.errors import NothingToSearchFor
from apps.search.indexing import CONSUMER
from apps.search.parsing import Wanted
from bitvault.events.api import get_position
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor

BATCH = 200
"""Candidates that Files judges at once."""

LOOKED_AT_LIMIT = 2_000
"""Candidates that one request looks at, so that what others may see costs a bounded time."""

SUGGESTIONS = 8


def search(
    actor: Actor, wanted: Wanted, *, sort: SortName, inside_id: UUID | None, limit: int, cursor: str | None
) -> Results:
    """Find a page of what fits and may be seen."""
    pages.require_limit(limit)
    if wanted.is_empty:
        raise NothingToSearchFor
    purpose = f"search:{sort}"
    after = None if cursor is None else _read_position(sort, pages.decode_cursor(purpose, cursor))
    as_of_seq = get_position(CONSUMER)
    hits: list[tuple[FoundNode, bool]] = []
    looked_at = 0
    while True:
        candidates = _read(wanted, sort, after)
        looked_at += len(candidates)
        for candidate, found in _judge(actor, candidates, inside_id):
            if len(hits) == limit:
                return Results(_describe(hits, wanted), _write_position(purpose, after), as_of_seq)
            after = candidate.position
            if found is not None:
                hits.append((found, candidate.by_text))
        if len(candidates) < BATCH:
            break
        if looked_at >= LOOKED_AT_LIMIT:
            return Results(_describe(hits, wanted), _write_position(purpose, after), as_of_seq)
    if hits or cursor is not None:
        return Results(_describe(hits, wanted), None, as_of_seq)
    similar = [(found, False) for found in _find_similar(actor, wanted, inside_id)[:limit]]
    return Results(_describe(similar, wanted), None, as_of_seq, is_similar=bool(similar))


def _find_similar(actor: Actor, wanted: Wanted, inside_id: UUID | None) -> list[FoundNode]:
    with db.read_transaction():
        node_ids = engine.list_similar(wanted, limit=BATCH)
    visible = files.find_visible(actor=actor, node_ids=node_ids)
    found = [visible[node_id] for node_id in node_ids if node_id in visible]
    return [one for one in found if _lies_in(one, inside_id)]


def _lies_in(found: FoundNode, inside_id: UUID | None) -> bool:
    return inside_id is None or any(step.id == inside_id for step in found.path)


def suggest(actor: Actor, wanted: Wanted) -> list[Suggestion]:
    """Find the few names that fit best."""
    if wanted.is_empty:
        return []
    found = [one for _, one in _judge(actor, _read(wanted, "relevance", None), None) if one is not None]
    return [
        Suggestion(
            id=one.node.id,
            kind=one.node.kind,
            name=one.node.name,
            parent_id=one.node.parent_id,
            parent_name=one.path[-1].name if one.path else "",
        )
        for one in found[:SUGGESTIONS]
    ]


def _read(wanted: Wanted, sort: SortName, after: Position | None) -> list[Candidate]:
    with db.read_transaction():
        return engine.list_candidates(wanted, sort=sort, after=after, limit=BATCH)


def _judge(
    actor: Actor, candidates: Sequence[Candidate], inside_id: UUID | None
) -> list[tuple[Candidate, FoundNode | None]]:
    """Say of each candidate what the caller may see of it, if anything."""
    visible = files.find_visible(actor=actor, node_ids=[one.node_id for one in candidates])
    judged: list[tuple[Candidate, FoundNode | None]] = []
    for candidate in candidates:
        found = visible.get(candidate.node_id)
        judged.append((candidate, found if found is not None and _lies_in(found, inside_id) else None))
    return judged


def _describe(found: Sequence[tuple[FoundNode, bool]], wanted: Wanted) -> list[Hit]:
    """Say of nodes where the words stand in them, by two statements: of the content that a file has now, whatever the index says."""
    hashes = {one.node.content_hash for one, by_text in found if by_text and one.node.content_hash is not None}
    texts = states.find_texts(node for one, _ in found if (node := one.node).kind == "file")
    with db.read_transaction():
        passages = text_engine.find_passages(hashes, wanted.held)
    hits = []
    for one, _ in found:
        spans = words.find_spans(one.node.name, wanted.looked_for)
        passage = passages.get(one.node.content_hash or "")
        hits.append(
            Hit(
                node=one.node,
                path=one.path,
                highlights=[Highlight(start, end) for start, end in spans],
                passage=None if passage is None else marking.cut_passage(passage, wanted.held),
                text=texts.get(one.node.id),
            )
        )
    return hits


def _write_position(purpose: str, position: Position | None) -> str | None:
    if position is None:
        return None
    value = position.value.isoformat() if isinstance(position.value, datetime) else position.value
    return pages.encode_cursor(purpose, [position.rank, value, str(position.node_id)])


def _read_position(sort: SortName, facts: list[Any]) -> Position:
    rank, value, node_id = facts
    return Position(rank, value if sort == "size_bytes" else datetime.fromisoformat(value), UUID(node_id))
