"""The tenant's tags, and the nodes that have them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg

from apps.annotations import dtos
from apps.annotations.models import NodeTag, Tag
from apps.annotations.queries.nodes import find_noted
from bitvault.events.api import get_head
from bitvault.kernel import db, names, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import Page

_NODES = "annotations.tagged"


def to_label(row: Tag) -> dtos.NodeLabel:
    """Give a tag as it passes through the door."""
    return dtos.NodeLabel(id=row.id, name=row.name, colour=row.colour)  # type: ignore[arg-type] # the column holds no other


def list_all() -> list[dtos.NodeLabel]:
    """List all tags of the tenant, as people sort names."""
    with db.read_transaction():
        rows = list(Tag.objects.all())
    return [to_label(row) for row in _sorted(rows)]


def get(tag_id: UUID) -> dtos.NodeLabel:
    """Read one tag.

    :raises NotFound: there is none.
    """
    with db.read_transaction():
        row = Tag.objects.filter(pk=tag_id).first()
    if row is None:
        raise NotFound
    return to_label(row)


def find_of_nodes(node_ids: Collection[UUID]) -> Mapping[UUID, list[dtos.NodeLabel]]:
    """Find the tags of nodes, inside the open transaction; a node without any is left out."""
    found: dict[UUID, list[Tag]] = {}
    for row in NodeTag.objects.filter(node_id__in=node_ids).select_related("tag"):
        found.setdefault(row.node_id, []).append(row.tag)
    return {node_id: [to_label(tag) for tag in _sorted(rows)] for node_id, rows in found.items()}


def _sorted(rows: Collection[Tag]) -> list[Tag]:
    return sorted(rows, key=lambda row: (names.sort_key_of(row.name), row.id))


def list_nodes(actor: Actor, tag_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.NotedNode]:
    """List the nodes with a tag, latest tagged first; a page holds fewer where some are out of reach.

    :raises NotFound: there is no such tag.
    """
    pages.require_limit(limit)
    purpose = f"{_NODES}:{tag_id.hex}"
    with db.read_transaction():
        if not Tag.objects.filter(pk=tag_id).exists():
            raise NotFound
        rows = NodeTag.objects.filter(tag_id=tag_id).order_by("-id")
        if cursor is not None:
            rows = rows.filter(id__lt=UUID(pages.decode_cursor(purpose, cursor)[0]))
        found = list(rows[: limit + 1])
    shown = found[:limit]
    noted = find_noted(actor, [row.node_id for row in shown])
    next_cursor = pages.encode_cursor(purpose, [shown[-1].id.hex]) if len(found) > limit else None
    return Page([noted[row.node_id] for row in shown if row.node_id in noted], next_cursor)


def list_rows(*, after: UUID | None, limit: int) -> dtos.TaggedNodes:
    """Read a page of which tags nodes have, in the order of the nodes' ids."""
    rows = NodeTag.objects.all() if after is None else NodeTag.objects.filter(node_id__gt=after)
    grouped = rows.values("node_id").annotate(tag_ids=ArrayAgg("tag_id", order_by="tag_id")).order_by("node_id")
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        found = list(grouped.values_list("node_id", "tag_ids")[:limit])
    return dtos.TaggedNodes([dtos.TaggedNode(node_id, tag_ids) for node_id, tag_ids in found], as_of_seq)
