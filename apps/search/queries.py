"""Searching: candidates come from the engine, and Files says which of them the caller may see, at this moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.annotations import api as annotations
from apps.annotations.dtos import Marks
from apps.files import api as files
from apps.files.dtos import FoundNode, Node, Tag, TrashedNode
from apps.search import marking, states, text_engine, words
from apps.search.dtos import Highlight, Hit, Results, SortName, Suggestion
from apps.search.engine import Candidate, Engine, Position
from apps.search.errors import NothingToSearchFor
from apps.search.parsing import Wanted
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor

BATCH = 200
"""Candidates that Files judges at once."""

LOOKED_AT_LIMIT = 2_000
"""Candidates that one request looks at, so that what others may see costs a bounded time."""

SUGGESTIONS = 8


def search(actor: Actor, wanted: Wanted, *, engine: Engine, sort: SortName, limit: int, cursor: str | None) -> Results:
    """Find a page of what fits and may be seen."""
    pages.require_limit(limit)
    if wanted.is_empty:
        raise NothingToSearchFor
    purpose = f"search:{sort}"
    after = None if cursor is None else _read_position(sort, pages.decode_cursor(purpose, cursor))
    as_of_seq = engine.get_position()
    hits: list[tuple[FoundNode, bool]] = []
    looked_at = 0
    while True:
        candidates = engine.list_candidates(wanted, sort=sort, after=after, limit=BATCH)
        looked_at += len(candidates)
        for candidate, found in judge(actor, candidates, wanted):
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
    similar = [(found, False) for found in _find_similar(actor, wanted, engine)[:limit]]
    return Results(_describe(similar, wanted), None, as_of_seq, is_similar=bool(similar))


def _find_similar(actor: Actor, wanted: Wanted, engine: Engine) -> list[FoundNode]:
    node_ids = engine.list_similar(wanted, limit=BATCH)
    visible = _find_visible(actor, node_ids, wanted)
    return [visible[node_id] for node_id in node_ids if node_id in visible]


def _find_visible(actor: Actor, node_ids: Sequence[UUID], wanted: Wanted) -> dict[UUID, FoundNode]:
    """Read those of some nodes that the caller may see at this moment, and that lie where they are looked for."""
    if wanted.is_trashed:
        trashed = files.find_trashed(actor=actor, node_ids=node_ids)
        return {node_id: FoundNode(node, ()) for node_id, node in trashed.items() if wanted.inside_ids is None}
    found = files.find_visible(actor=actor, node_ids=node_ids)
    return {node_id: one for node_id, one in found.items() if _lies_in(one, wanted.inside_ids)}


def _lies_in(found: FoundNode, inside_ids: frozenset[UUID] | None) -> bool:
    return inside_ids is None or any(step.id in inside_ids for step in found.path)


def suggest(actor: Actor, wanted: Wanted, engine: Engine) -> list[Suggestion]:
    """Find the few names that fit best."""
    if wanted.is_empty:
        return []
    candidates = engine.list_by_name(wanted, sort="relevance", after=None, limit=BATCH)
    found = [one for _, one in judge(actor, candidates, wanted) if one is not None]
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


def judge(actor: Actor, candidates: Sequence[Candidate], wanted: Wanted) -> list[tuple[Candidate, FoundNode | None]]:
    """Say of each candidate what the caller may see of it, if anything."""
    visible = _find_visible(actor, [one.node_id for one in candidates], wanted)
    return [(candidate, visible.get(candidate.node_id)) for candidate in candidates]


def mark(actor: Actor, hits: Sequence[Hit]) -> list[Hit]:
    """Give hits with the tags and favourites of their nodes, by one statement."""
    found = annotations.find_marks(actor=actor, node_ids=[hit.node.id for hit in hits])
    return [
        replace(hit, node=_mark_node(hit.node, marks)) if (marks := found.get(hit.node.id)) is not None else hit
        for hit in hits
    ]


def _mark_node(node: Node, marks: Marks) -> Node:
    tags = [Tag(id=tag.id, name=tag.name, colour=tag.colour) for tag in marks.tags]
    return replace(node, tags=tags, favourite=marks.favourite)


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
        node, origin_path = _take_from_trash(one.node)
        hits.append(
            Hit(
                node=node,
                path=one.path,
                highlights=[Highlight(start, end) for start, end in spans],
                passage=None if passage is None else marking.cut_passage(passage, wanted.held),
                text=texts.get(one.node.id),
                origin_path=origin_path,
            )
        )
    return hits


def _take_from_trash(node: Node) -> tuple[Node, str | None]:
    """Give a node as all are given; of one in the trash, too, where it was."""
    if not isinstance(node, TrashedNode):
        return node, None
    return Node(**{name: getattr(node, name) for name in Node.__dataclass_fields__}), node.origin_path


def _write_position(purpose: str, position: Position | None) -> str | None:
    if position is None:
        return None
    value = position.value.isoformat() if isinstance(position.value, datetime) else position.value
    return pages.encode_cursor(purpose, [position.rank, value, str(position.node_id)])


def _read_position(sort: SortName, facts: list[Any]) -> Position:
    rank, value, node_id = facts
    return Position(rank, value if sort == "size_bytes" else datetime.fromisoformat(value), UUID(node_id))
