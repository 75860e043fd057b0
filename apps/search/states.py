"""How it stands with the text inside files: searched, waiting to be read, or why it is not searched."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count

from apps.files.api import shown as files
from apps.files.dtos import Node
from apps.search import outgoing, texts
from apps.search.dtos import Facet, IndexState, OutsideIndexState, SearchedText
from apps.search.models import Content, ContentState, Document, OutsideIndex, OutsideState, Rebuild, Unsent
from bitvault.kernel import db
from bitvault.kernel.actor import Actor


def get_text_state(actor: Actor, node_id: UUID) -> SearchedText:
    """Tell how it stands with the text of a file that the actor may see."""
    content = files.get_shown_content(actor=actor, node_id=node_id)
    return _tell({node_id: (content.content_hash, content.media_type, content.size_bytes)})[node_id]


def find_texts(nodes: Iterable[Node]) -> dict[UUID, SearchedText]:
    """Tell how it stands with the texts of some files, by one statement."""
    return _tell({node.id: (node.content_hash or "", node.media_type or "", node.size_bytes or 0) for node in nodes})


def count_index() -> IndexState:
    """Count documents, and texts by how it stands with them."""
    with db.read_transaction():
        document_count = Document.objects.count()
        rows = list(Content.objects.values_list("state", "reason").annotate(Count("content_hash")).order_by())
        outside = list(OutsideIndex.objects.order_by("begun_at"))
        unsent_count = Unsent.objects.count()
        rebuilt_count = Rebuild.objects.exclude(run_id=None).values_list("done_count", flat=True).first()
    counts = {(state, reason): number for state, reason, number in rows}
    failures = [Facet(reason, number) for (state, reason), number in counts.items() if state == ContentState.FAILED]
    return IndexState(
        document_count=document_count,
        searched_count=counts.get((ContentState.READY, ""), 0),
        waiting_count=counts.get((ContentState.WAITING, ""), 0),
        failures=sorted(failures, key=lambda each: (-each.count, each.value)),
        is_outside_chosen=outgoing.is_chosen(),
        outside=[
            OutsideIndexState(
                is_live=index.state == OutsideState.LIVE,
                name=index.name,
                begun_at=index.begun_at,
                done_count=index.done_count,
                total_count=index.total_count,
                differing_count=index.differing_count,
            )
            for index in outside
        ],
        unsent_count=unsent_count,
        rebuilt_count=rebuilt_count,
    )


def _tell(facts: dict[UUID, tuple[str, str, int]]) -> dict[UUID, SearchedText]:
    hashes = {content_hash for content_hash, _, _ in facts.values()}
    rows: dict[str, Content] = {}
    if hashes:
        with db.read_transaction():
            rows = Content.objects.defer("vector").in_bulk(list(hashes))
    return {
        node_id: _tell_one(rows.get(content_hash), media_type, size_bytes)
        for node_id, (content_hash, media_type, size_bytes) in facts.items()
    }


def _tell_one(row: Content | None, media_type: str, size_bytes: int) -> SearchedText:
    if row is None:
        obstacle = texts.find_obstacle(media_type, size_bytes)
        return SearchedText("waiting") if obstacle is None else SearchedText("none", obstacle)
    if row.state == ContentState.READY:
        return SearchedText("searched", is_cut=row.is_cut)
    if row.state == ContentState.WAITING:
        return SearchedText("waiting")
    return SearchedText("none", row.reason or "failed")  # type: ignore[arg-type] # no other is stored
