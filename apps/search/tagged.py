"""Which tags nodes have, as events tell it: for the filter ``tag:urgent`` and for the counts beside a search."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, Func, QuerySet, Value
from django.db.models.functions import Greatest

from apps.search.models import Tagged


@dataclass(frozen=True, slots=True)
class TagBatch:
    """What events say of tags, in their order."""

    told: dict[UUID, Tagged] = field(default_factory=dict)
    deleted: dict[UUID, int] = field(default_factory=dict)

    def put(self, node_id: UUID, tag_ids: Collection[UUID], *, seq: int) -> None:
        """Say which tags a node has at a number of the stream."""
        self.told[node_id] = Tagged(node_id=node_id, tag_ids=sorted(tag_ids), seq=seq)

    def delete(self, tag_id: UUID, *, seq: int) -> None:
        """Say that a tag is gone, from every node, at a number of the stream."""
        self.deleted[tag_id] = seq

    def write(self, *, purged: Collection[UUID]) -> set[UUID]:
        """Write all of it by a few statements; what the index knows to be newer stays. Returns the nodes that have other tags now."""
        wanted = {node_id: row for node_id, row in self.told.items() if node_id not in purged}
        known = dict(Tagged.objects.filter(node_id__in=list(wanted)).values_list("node_id", "seq")) if wanted else {}
        rows = [row for node_id, row in wanted.items() if known.get(node_id, 0) < row.seq]
        if rows:
            Tagged.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["node_id"], update_fields=["tag_ids", "seq"]
            )
        changed = {row.node_id for row in rows}
        for tag_id, seq in self.deleted.items():
            having = Tagged.objects.filter(tag_ids__contains=[tag_id])
            changed.update(having.values_list("node_id", flat=True))
            left = Func(F("tag_ids"), Value(tag_id), function="array_remove")
            having.update(tag_ids=left, seq=Greatest(F("seq"), seq))
        if purged:
            Tagged.objects.filter(node_id__in=list(purged)).delete()
        return changed


def having_all(tag_ids: Collection[UUID]) -> QuerySet[Any, Any]:
    """Find the nodes that have all of some tags, by their ids."""
    return Tagged.objects.filter(tag_ids__contains=sorted(tag_ids)).values("node_id")


def find_tags(node_ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """Find the tags of nodes, inside the open transaction; a node without any is left out."""
    rows = Tagged.objects.filter(node_id__in=list(node_ids)).values_list("node_id", "tag_ids")
    return {node_id: tag_ids for node_id, tag_ids in rows if tag_ids}
