"""Indexes of the server's, and the alias by which a tenant's searches find the part that is theirs.

Tenants share an index: each has a part of it, whose documents are routed to one shard. A tenant with many documents has an index of its
own. An alias of each tenant points to its part and filters by it: no search can forget to, and a rebuilt part takes the place of the other
at once.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError

from apps.search.models import OutsideIndex
from apps.search.opensearch.documents import EDITION, describe_index

PREFIX = "bitvault"
EVERY_INDEX = f"{PREFIX}-v*"
SHARED_NAME = f"{PREFIX}-v{EDITION}-shared"
SHARED_SHARDS = 4

OWN_FROM = 500_000
"""Documents from which on a tenant gets an index of its own: a shard of such a size rebuilds and moves in minutes."""

OWN_SHARDS = 2

CALL_SECONDS = 60
"""How long the server may take for a change of its indexes."""


def choose_name(part: UUID, document_count: int) -> str:
    """Tell in which index of the server's a part is to be kept."""
    return SHARED_NAME if document_count < OWN_FROM else f"{PREFIX}-v{EDITION}-{part.hex}"


def is_current(name: str) -> bool:
    """Whether an index has this code's mapping."""
    return edition_of(name) == EDITION


def edition_of(name: str) -> int:
    """Tell of which edition an index of the server's is."""
    return int(name.removeprefix(f"{PREFIX}-v").partition("-")[0])


def is_shared(name: str) -> bool:
    """Whether an index, of whatever edition, is that of many tenants."""
    return name.endswith("-shared")


def alias_of(tenant_id: UUID) -> str:
    """Name the alias by which a tenant is searched."""
    return f"{PREFIX}-tenant-{tenant_id.hex}"


def routing_of(index: OutsideIndex) -> dict[str, str]:
    """Tell how documents of a part are routed: to one shard where it shares an index."""
    return {"routing": index.part.hex} if is_shared(index.name) else {}


def ensure(client: OpenSearch, name: str) -> None:
    """Make an index unless it is there."""
    if client.indices.exists(index=name):
        return
    body = describe_index()
    body["settings"]["number_of_shards"] = SHARED_SHARDS if is_shared(name) else OWN_SHARDS
    try:
        client.indices.create(index=name, body=body, params={"request_timeout": CALL_SECONDS})
    except RequestError as error:
        if error.error != "resource_already_exists_exception":
            raise


def refresh(client: OpenSearch, name: str) -> None:
    """Let what was written be found."""
    client.indices.refresh(index=name, params={"request_timeout": CALL_SECONDS})


def point(client: OpenSearch, tenant_id: UUID, index: OutsideIndex) -> None:
    """Let a tenant's searches go to a part, at once and to no other."""
    alias = alias_of(tenant_id)
    before = client.indices.get_alias(name=alias, ignore=[404])
    others = [name for name in before if name != index.name and name.startswith(f"{PREFIX}-v")]
    add: dict[str, Any] = {"index": index.name, "alias": alias, "filter": {"term": {"part": str(index.part)}}}
    actions: list[dict[str, Any]] = [{"remove": {"index": name, "alias": alias}} for name in others]
    client.indices.update_aliases(body={"actions": [*actions, {"add": {**add, **routing_of(index)}}]})


def forget_others(client: OpenSearch, tenant_id: UUID, kept: Collection[OutsideIndex]) -> None:
    """Delete what there is of a tenant beside the parts that are kept; a large part takes the server some minutes after this."""
    parts = [str(index.part) for index in kept]
    query = {"bool": {"filter": [{"term": {"tenant": str(tenant_id)}}], "must_not": [{"terms": {"part": parts}}]}}
    client.delete_by_query(
        index=EVERY_INDEX,
        body={"query": query},
        params={"conflicts": "proceed", "wait_for_completion": "false", "request_timeout": CALL_SECONDS},
    )


def forget_tenant(client: OpenSearch, tenant_id: UUID) -> int:
    """Delete everything of a tenant: what it has in shared indexes, its own ones, its alias. Tells how many documents are left yet."""
    alias = alias_of(tenant_id)
    for name in client.indices.get_alias(name=alias, ignore=[404]):
        if not name.startswith(f"{PREFIX}-v"):
            continue  # the answer where there is no such alias: a status and an error
        client.indices.delete_alias(index=name, name=alias, ignore=[404])
        drop_own(client, name)
    query = {"query": {"term": {"tenant": str(tenant_id)}}}
    slow = {"request_timeout": CALL_SECONDS}
    if client.indices.exists(index=EVERY_INDEX):
        client.indices.refresh(index=EVERY_INDEX, params=slow)
    client.delete_by_query(index=EVERY_INDEX, body=query, params={"conflicts": "proceed", "refresh": "true", **slow})
    return int(client.count(index=EVERY_INDEX, body=query)["count"])


def drop_own(client: OpenSearch, name: str) -> None:
    """Delete an index that was one tenant's own, unless it is shared."""
    if not is_shared(name):
        client.indices.delete(index=name, ignore=[404], params={"request_timeout": CALL_SECONDS})
