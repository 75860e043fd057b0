"""Reading which versions a part holds."""

from typing import Any
from uuid import UUID

from opensearchpy import OpenSearch

from apps.search.models import OutsideIndex
from apps.search.opensearch import indices

PAGE = 5_000
SECONDS = 30


def list_versions(
    client: OpenSearch, index: OutsideIndex, *, after: UUID | None, until: UUID | None
) -> dict[UUID, int]:
    """List the nodes of a part between two ids (without the first, with the second), each with its version."""
    held: dict[UUID, int] = {}
    bounds = {key: str(bound) for key, bound in {"gt": after, "lte": until}.items() if bound is not None}
    query = {"bool": {"filter": [{"term": {"part": str(index.part)}}, {"range": {"node_id": bounds}}]}}
    body: dict[str, Any] = {
        "query": query,
        "size": PAGE,
        "sort": [{"node_id": "asc"}],
        "docvalue_fields": ["version"],
        "track_total_hits": False,
    }
    parameters = {"request_timeout": SECONDS, "allow_partial_search_results": "false", **indices.routing_of(index)}
    while True:
        hits = client.search(index=index.name, body=body, params=parameters)["hits"]["hits"]
        held.update({UUID(hit["sort"][0]): int(hit["fields"]["version"][0]) for hit in hits})
        if len(hits) < PAGE:
            return held
        body["search_after"] = hits[-1]["sort"]
