"""Writing documents into parts: in bulk, with versions that rise as PostgreSQL's rows do, so sending again or late does no harm."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from opensearchpy import OpenSearch

from apps.search import described, holds, remarks, versions
from apps.search.models import Content, ContentState, Document, OutsideIndex, Passage, Tagged
from apps.search.opensearch import indices
from apps.search.opensearch.documents import PURGED_VERSION, SINCE, NodeDocument, write_metadata, write_text
from bitvault.kernel import db
from bitvault.kernel.errors import ServiceDown

READ_AT_ONCE = 500
BULK_DOCUMENTS = 2_000
BULK_BYTES = 5 * 1024 * 1024
BULK_SECONDS = 20
BULK_RETRIES = 4
"""How often what a busy server puts off is sent again at once: after 1, 2, 4 and 8 seconds. Then the job is tried again."""

TEXTS_AT_ONCE = 8
"""Texts that are held in memory together; each has a million characters at most."""

REMARKS_CHARACTERS = 200_000
"""How much of what is written about a node is sent, the latest first: a thousand comments."""

VERSIONS_OF_REVISION = 1_000
"""Versions of one revision of a node: its text is read later than its name, and maybe again by a later reader."""

HARMLESS = frozenset({404, 409})
"""It is gone already, or known in this version or a later one."""


class Refused(ServiceDown):
    """The server took some documents not; ``reason`` is the first one's."""

    code = "search.refused"
    title = "OpenSearch has refused documents"


def write(
    client: OpenSearch,
    parts: Sequence[OutsideIndex],
    tenant_id: UUID,
    node_ids: Collection[UUID],
    *,
    refresh: Literal["false", "wait_for", "true"],
) -> None:
    """Write nodes into parts as they are now; those that are not there any more are deleted.

    :param refresh: ``wait_for`` returns when they can be found.
    :raises Refused: the server took some not.
    """
    for part in parts:
        actions = _list_actions(part, tenant_id, list(node_ids))
        _, errors = NodeDocument().bulk(
            actions,
            using=client,
            raise_on_error=False,
            chunk_size=BULK_DOCUMENTS,
            max_chunk_bytes=BULK_BYTES,
            max_retries=BULK_RETRIES,
            initial_backoff=1,
            request_timeout=BULK_SECONDS,
            refresh=refresh,
        )
        refused = [told for error in errors for told in error.values() if told.get("status") not in HARMLESS]
        if refused:
            raise Refused(dependency="opensearch", retry_after_seconds=2, reason=str(refused[0].get("error"))[:500])


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of documents beside their own rows, by which their versions are told."""

    swap_count: int
    """How many rebuilds there were when the documents were read."""
    states: Mapping[str, tuple[str, int]]
    """How it stands with the text of a content, and which reader has read it."""
    tagged: Mapping[UUID, Tagged]
    versions: Mapping[UUID, int]
    """How often what belongs to a node changed beside its own row."""
    metadata: Mapping[UUID, Mapping[str, Mapping[str, Any]]]
    named: Mapping[UUID, Sequence[UUID]]
    """Which holds name a node."""
    written_about: Collection[UUID]
    """The nodes about which something is written."""

    def tell_version(self, document: Document) -> int:
        """Tell the version of a document: by the node's revision, by which reader has read its text, as of which number its tags are, and
        how often what belongs to it beside that has changed.

        None of the four goes back, nor does the number of rebuilds, so their sum rises whenever one of them does.
        """
        state, reader = self.states.get(document.content_hash, (ContentState.WAITING, 0))
        read = 0 if state == ContentState.WAITING else 2 * reader + (state == ContentState.READY)
        told = self.swap_count + document.revision * VERSIONS_OF_REVISION + min(read, VERSIONS_OF_REVISION - 1)
        tagged = self.tagged.get(document.node_id)
        return told + (0 if tagged is None else tagged.seq) + self.versions.get(document.node_id, 0)

    def has_texts(self, document: Document) -> bool:
        """Tell whether there is more to read than the document's own row."""
        state, _ = self.states.get(document.content_hash, (ContentState.WAITING, 0))
        return state == ContentState.READY or document.node_id in self.written_about


def list_versions(documents: Sequence[Document]) -> dict[UUID, int]:
    """Tell the versions of documents, by a few statements inside the open transaction."""
    known = _find_known(documents, versions.get_swap_count())
    return {each.node_id: known.tell_version(each) for each in documents}


def _find_known(documents: Sequence[Document], swap_count: int) -> Known:
    node_ids = [each.node_id for each in documents]
    hashes = {each.content_hash for each in documents if each.content_hash}
    rows = Content.objects.filter(content_hash__in=hashes).values_list("content_hash", "state", "reader")
    return Known(
        swap_count=swap_count,
        states={content_hash: (state, reader) for content_hash, state, reader in rows},
        tagged=Tagged.objects.in_bulk(node_ids),
        # Before what they are of: what changes in between is sent again with a higher one.
        versions=versions.find_versions(node_ids),
        metadata=described.find_values(node_ids),
        named=holds.find_named(node_ids),
        written_about=remarks.find_written_about(node_ids),
    )


def _list_actions(part: OutsideIndex, tenant_id: UUID, node_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """Read documents as they are and say what is to be done with each; those with texts a few at a time."""
    for begin in range(0, len(node_ids), READ_AT_ONCE):
        asked = node_ids[begin : begin + READ_AT_ONCE]
        with db.read_transaction():
            swap_count = versions.get_swap_count()
            found = list(Document.objects.defer("vector").filter(node_id__in=asked))
            known = _find_known(found, swap_count)
        there = {each.node_id for each in found}
        yield from (_delete(part, node_id) for node_id in asked if node_id not in there)
        texted = [each for each in found if known.has_texts(each)]
        for document in found:
            if not known.has_texts(document):
                yield _index(part, tenant_id, document, known)
        for first in range(0, len(texted), TEXTS_AT_ONCE):
            some = texted[first : first + TEXTS_AT_ONCE]
            passages, written = _read_texts(some, known)
            for document in some:
                yield _index(
                    part,
                    tenant_id,
                    document,
                    known,
                    passages.get(document.content_hash, ()),
                    written.get(document.node_id, ()),
                )


def _read_texts(documents: Sequence[Document], known: Known) -> tuple[dict[str, list[str]], dict[UUID, list[str]]]:
    """Read the passages of contents, and what is written about nodes."""
    states = known.states
    hashes = {each.content_hash for each in documents if states.get(each.content_hash, ("",))[0] == ContentState.READY}
    passages: dict[str, list[str]] = {}
    with db.read_transaction():
        rows = Passage.objects.filter(content_hash__in=hashes).order_by("content_hash", "number")
        for content_hash, text in rows.values_list("content_hash", "text"):
            passages.setdefault(content_hash, []).append(text)
        node_ids = [each.node_id for each in documents if each.node_id in known.written_about]
        return passages, remarks.find_written(node_ids, limit_characters=REMARKS_CHARACTERS)


def _index(
    part: OutsideIndex,
    tenant_id: UUID,
    document: Document,
    known: Known,
    passages: Sequence[str] = (),
    written: Sequence[str] = (),
) -> dict[str, Any]:
    version, tagged = known.tell_version(document), known.tagged.get(document.node_id)
    facts = {
        "part": str(part.part),
        "tenant": str(tenant_id),
        "version": version,
        "tag_ids": [] if tagged is None else [str(tag_id) for tag_id in tagged.tag_ids],
        "held_by": [str(policy_id) for policy_id in known.named.get(document.node_id, ())],
        "metadata": write_metadata(known.metadata.get(document.node_id, {})),
        "text": write_text(passages),
        "remarks": write_text(written),
    }
    source = {**NodeDocument().prepare(document), **facts}
    # The part of an earlier edition is searched until it is built anew, for what it takes.
    edition = indices.edition_of(part.name)
    source = {name: value for name, value in source.items() if SINCE.get(name, 0) <= edition}
    return {**_address(part, document.node_id, version), "_op_type": "index", "_source": source}


def _delete(part: OutsideIndex, node_id: UUID) -> dict[str, Any]:
    return {**_address(part, node_id, PURGED_VERSION), "_op_type": "delete"}


def _address(part: OutsideIndex, node_id: UUID, version: int) -> dict[str, Any]:
    return {
        "_index": part.name,
        "_id": f"{part.part.hex}:{node_id.hex}",
        "version": version,
        "version_type": "external",
        **indices.routing_of(part),
    }
