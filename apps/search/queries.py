"""Searching: candidates come from the engine, and Files says which of them the caller may see, at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.annotations import api as annotations
from apps.annotations.api import remarks as annotations_remarks
from apps.annotations.dtos import Marks
from apps.files import api as files
from apps.files.dtos import FoundNode, Node, Tag, TrashedNode
from apps.search import marking, remarks, states, text_engine, words
from apps.search.dtos import FoundRemark, Highlight, Hit, Results, SortName, Suggestion
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
    """Say of each candidate what the caller may see of it, if anything: who may not view a node does not learn what is written there."""
    visible = _find_visible(actor, [one.node_id for one in candidates], wanted)
    judged: list[tuple[Candidate, FoundNode | None]] = []
    for candidate in candidates:
        found = visible.get(candidate.node_id)
        # Nor does it say whether a node is on hold to who sees no more than that it is there.
        is_telling = candidate.by_text or wanted.filters.is_held is not None
        is_hidden = found is not None and is_telling and "view" not in found.node.capabilities
        judged.append((candidate, None if is_hidden else found))
    return judged


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
    """Say of nodes where the words stand in them, by a few statements: of the content that a file has now, whatever the index says."""
    hashes = {one.node.content_hash for one, by_text in found if by_text and one.node.content_hash is not None}
    texts = states.find_texts(node for one, _ in found if (node := one.node).kind == "file")
    by_text_ids = [one.node.id for one, by_text in found if by_text]
    with db.read_transaction():
        passages = text_engine.find_passages(hashes, wanted.held)
        best = remarks.find_best(by_text_ids, wanted.held)
    written = annotations_remarks.find_texts(remark_ids=best.values())
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
                remark=_show_remark(one.node.id, best.get(one.node.id), written, wanted),
                origin_path=origin_path,
            )
        )
    return hits


def _show_remark(
    node_id: UUID, remark_id: UUID | None, written: Mapping[UUID, str], wanted: Wanted
) -> FoundRemark | None:
    """Show what is written about a node now; what does not hold the words any more is not shown."""
    if remark_id is None or remark_id not in written:
        return None
    passage = marking.cut_passage(written[remark_id], wanted.held)
    if not passage.highlights:
        return None
    if remark_id == node_id:
        return FoundRemark("description", passage)
    return FoundRemark("comment", passage, remark_id)


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
