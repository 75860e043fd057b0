"""The indexer: what a batch of events says about nodes, written into the index at its end.

Revisions rise with every change of a node, so what the index knows to be newer stays: events that are applied again change nothing.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.search import categories, contents, described, holds, outgoing, remarks, tagged, versions, words
from apps.search.engine import CONSUMER
from apps.search.models import Document

__all__ = ["CONSUMER", "Batch", "describe", "to_wanted"]

_CHANGING = (
    "parent_id",
    "name",
    "folded",
    "words",
    "category",
    "size_bytes",
    "media_type",
    "modified_at",
    "is_trashed",
    "revision",
    "content_hash",
    "blob_id",
    "locked_until",
)


class Batch:
    """What events say, node by node."""

    def __init__(self) -> None:
        self._told: dict[UUID, dict[str, Any]] = {}
        self._purged: set[UUID] = set()
        self.tags = tagged.TagBatch()
        self.metadata = described.DescribedBatch()
        self.remarks = remarks.RemarkBatch()
        self.holds = holds.HoldBatch()

    def put(self, node_id: UUID, **state: Any) -> None:
        """Say what a node is now; what is left out stays as it was."""
        self._told.setdefault(node_id, {}).update(state)

    def forget(self, node_ids: Sequence[UUID]) -> None:
        """Say that nodes are gone for good."""
        self._purged.update(node_ids)

    def write(self, *, seq: int | None = None) -> None:
        """Write all of it, by a few statements for two hundred events; asks for the text of contents that are new.

        :param seq: the number of the first event.
        """
        named_ids = self.holds.write(purged=self._purged)
        told = {node_id: state for node_id, state in self._told.items() if node_id not in self._purged}
        known = Document.objects.defer("vector").in_bulk(list(told))
        new: list[Document] = []
        changed: list[Document] = []
        left: list[str] = []
        for node_id, state in told.items():
            document = known.get(node_id)
            if document is None:
                if "is_folder" in state:
                    new.append(describe(Document(node_id=node_id, **state)))
            elif document.revision < state["revision"]:
                if state.get("content_hash", document.content_hash) != document.content_hash:
                    left.append(document.content_hash)
                for name, value in state.items():
                    setattr(document, name, value)
                changed.append(describe(document))
        if new:
            Document.objects.bulk_create(new, ignore_conflicts=True)
        if changed:
            Document.objects.bulk_update(changed, _CHANGING)
        if self._purged:
            purged = Document.objects.filter(node_id__in=self._purged)
            left += purged.values_list("content_hash", flat=True)
            purged.delete()
        tagged_ids = self.tags.write(purged=self._purged)
        noted_ids = named_ids | self.metadata.write(purged=self._purged) | self.remarks.write(purged=self._purged)
        versions.raise_versions(noted_ids - self._purged)
        versions.forget(self._purged)
        contents.forget_unused(left)
        contents.ask_for_new(to_wanted(document) for document in (*new, *changed) if document.content_hash)
        described_ids = {document.node_id for document in (*new, *changed)}
        outgoing.note_nodes({*described_ids, *tagged_ids, *noted_ids, *self._purged}, seq=seq)


def to_wanted(document: Any) -> contents.NewContent:
    """Tell which content a document has."""
    return contents.NewContent(document.content_hash, document.media_type, document.size_bytes or 0)


def describe(document: Any) -> Any:
    """Fill in what follows from a document's name and type; returns it."""
    document.folded = words.fold(document.name)
    document.words = " ".join(words.cut_words(document.name))
    document.category = categories.tell_category(
        is_folder=document.is_folder, name=document.name, media_type=document.media_type
    )
    return document
