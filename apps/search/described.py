"""What nodes have in fields of metadata, as events tell it: for filters such as ``status:open``, and for the counts beside a search."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.lookups import Contains

from apps.search import sql, words
from apps.search.dtos import FieldTest, PropertyFilter
from apps.search.models import Described


@dataclass(frozen=True, slots=True)
class DescribedBatch:
    """What events say of metadata, in their order."""

    told: dict[UUID, Described] = field(default_factory=dict)
    removed_ids: set[UUID] = field(default_factory=set)

    def put(self, node_id: UUID, values: Mapping[str, Any], *, seq: int) -> None:
        """Say what a node has at a number of the stream."""
        self.told[node_id] = Described(node_id=node_id, values=dict(values), seq=seq)

    def remove(self, field_ids: Collection[UUID]) -> None:
        """Say that fields are gone, from every node."""
        self.removed_ids.update(field_ids)

    def write(self, *, purged: Collection[UUID]) -> set[UUID]:
        """Write all of it by a few statements; what the index knows to be newer stays. Returns the nodes that have other values now."""
        wanted = {node_id: row for node_id, row in self.told.items() if node_id not in purged}
        rows_now = Described.objects.filter(node_id__in=list(wanted))
        known = dict(rows_now.values_list("node_id", "seq")) if wanted else {}
        rows = [row for node_id, row in wanted.items() if known.get(node_id, 0) < row.seq]
        if rows:
            Described.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["node_id"], update_fields=["values", "seq"]
            )
        changed = {row.node_id for row in rows}
        if self.removed_ids:
            with connection.cursor() as cursor:
                cursor.execute(sql.REMOVE_VALUES, {"gone": [str(field_id) for field_id in sorted(self.removed_ids)]})
                changed.update(node_id for (node_id,) in cursor.fetchall())
        if purged:
            Described.objects.filter(node_id__in=list(purged)).delete()
        return changed


def write_values(values: Sequence[tuple[UUID, str, str]]) -> dict[str, dict[str, Any]]:
    """Write what a node has as the index keeps it.

    :param values: of each field its id, its kind and the value as it is kept.
    """
    return {str(field_id): _write(kind, value) for field_id, kind, value in values}


def _write(kind: str, value: str) -> dict[str, Any]:
    written: dict[str, Any] = {"k": kind, "v": value, "t": words.fold(value)}
    if kind == "number":
        written["n"] = float(value) + 0.0  # there is one zero
    elif kind == "date":
        written["n"] = date.fromisoformat(value).toordinal()
    return written


def having(wanted: PropertyFilter) -> QuerySet[Any, Any]:
    """Find the nodes that have what is asked for in one of the fields, by their ids."""
    fits = Q()
    for test in wanted.tests:
        fits |= _fits(test)
    return Described.objects.filter(fits).values("node_id")


def _fits(test: FieldTest) -> Q:
    at = f"values__{test.field_id}"
    fits = Q(values__has_key=str(test.field_id))
    if test.text is not None:
        fits &= Q(Contains(KT(f"{at}__t"), test.text))
    if test.ids is not None:
        fits &= Q(**{f"{at}__v__in": sorted(str(each) for each in test.ids)})
    if test.low is not None:
        fits &= Q(**{f"{at}__n__gte": test.low})
    if test.high is not None:
        fits &= Q(**{f"{at}__n__lte": test.high})
    return fits


def find_values(node_ids: Collection[UUID]) -> dict[UUID, dict[str, dict[str, Any]]]:
    """Find what nodes have, as it is kept, inside the open transaction; a node without any is left out."""
    rows = Described.objects.filter(node_id__in=list(node_ids)).exclude(values={})
    return dict(rows.values_list("node_id", "values"))


def find_chosen(node_ids: Collection[UUID]) -> list[tuple[str, str]]:
    """List what nodes have in fields of choices, inside the open transaction: a field's id and a value for each."""
    rows = Described.objects.filter(node_id__in=list(node_ids)).values_list("values", flat=True)
    return [(field_id, one["v"]) for values in rows for field_id, one in values.items() if one["k"] == "choice"]
