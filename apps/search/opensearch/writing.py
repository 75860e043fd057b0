"""Writing documents into parts: in bulk, with versions that rise as PostgreSQL's rows do, so sending again or late does no harm."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal
from uuid import UUID

from opensearchpy import OpenSearch

from apps.search.models import Content, ContentState, Document, OutsideIndex, Passage, Tagged
from apps.search.opensearch import indices
from apps.search.opensearch.documents import PURGED_VERSION, SINCE_SECOND_EDITION, NodeDocument, write_text
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


def tell_version(document: Document, text: tuple[str, int] | None, tagged: Tagged | None) -> int:
    """Tell the version of a document: by the node's revision, by which reader has read its text, and as of which number its tags are.

    None of the three goes back, so their sum rises whenever one of them does.

    :param text: how it stands with the text of its content, and which reader has read it.
    """
    state, reader = text or (ContentState.WAITING, 0)
    read = 0 if state == ContentState.WAITING else 2 * reader + (state == ContentState.READY)
    told = document.revision * VERSIONS_OF_REVISION + min(read, VERSIONS_OF_REVISION - 1)
    return told + (0 if tagged is None else tagged.seq)


def list_versions(documents: Sequence[Document]) -> dict[UUID, int]:
    """Tell the versions of documents, by two statements inside the open transaction."""
    states, tagged = _find_states(documents), _find_tagged(documents)
    return {
        each.node_id: tell_version(each, states.get(each.content_hash), tagged.get(each.node_id)) for each in documents
    }


def _find_tagged(documents: Sequence[Document]) -> dict[UUID, Tagged]:
    return Tagged.objects.in_bulk([each.node_id for each in documents])


def _find_states(documents: Sequence[Document]) -> dict[str, tuple[str, int]]:
    hashes = {each.content_hash for each in documents if each.content_hash}
    rows = Content.objects.filter(content_hash__in=hashes).values_list("content_hash", "state", "reader")
    return {content_hash: (state, reader) for content_hash, state, reader in rows}


def _list_actions(part: OutsideIndex, tenant_id: UUID, node_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """Read documents as they are and say what is to be done with each; those with texts a few at a time."""
    for begin in range(0, len(node_ids), READ_AT_ONCE):
        asked = node_ids[begin : begin + READ_AT_ONCE]
        with db.read_transaction():
            found = list(Document.objects.defer("vector").filter(node_id__in=asked))
            states, tagged = _find_states(found), _find_tagged(found)
        known = {each.node_id for each in found}
        yield from (_delete(part, node_id) for node_id in asked if node_id not in known)
        texted = [each for each in found if states.get(each.content_hash, ("",))[0] == ContentState.READY]
        with_text = {each.node_id for each in texted}
        for document in found:
            if document.node_id not in with_text:
                tags = tagged.get(document.node_id)
                version = tell_version(document, states.get(document.content_hash), tags)
                yield _index(part, tenant_id, document, version, tags, [])
        for first in range(0, len(texted), TEXTS_AT_ONCE):
            some = texted[first : first + TEXTS_AT_ONCE]
            passages = _read_passages({each.content_hash for each in some})
            for document in some:
                tags = tagged.get(document.node_id)
                version = tell_version(document, states[document.content_hash], tags)
                yield _index(part, tenant_id, document, version, tags, passages.get(document.content_hash, []))


def _read_passages(content_hashes: Collection[str]) -> dict[str, list[str]]:
    read: dict[str, list[str]] = {}
    with db.read_transaction():
        rows = Passage.objects.filter(content_hash__in=content_hashes).order_by("content_hash", "number")
        for content_hash, text in rows.values_list("content_hash", "text"):
            read.setdefault(content_hash, []).append(text)
    return read


def _index(
    part: OutsideIndex, tenant_id: UUID, document: Document, version: int, tagged: Tagged | None, passages: list[str]
) -> dict[str, Any]:
    facts = {
        "part": str(part.part),
        "tenant": str(tenant_id),
        "version": version,
        "tag_ids": [] if tagged is None else [str(tag_id) for tag_id in tagged.tag_ids],
        "text": write_text(passages),
    }
    source = {**NodeDocument().prepare(document), **facts}
    if not indices.is_current(part.name):
        # The part of an earlier edition is searched until it is built anew.
        source = {name: value for name, value in source.items() if name not in SINCE_SECOND_EDITION}
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
