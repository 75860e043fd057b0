"""Templates of metadata, and what nodes have in their fields."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet

from apps.annotations import dtos
from apps.annotations.models import Field, FieldValue, Template
from apps.annotations.queries.comments import name_people
from bitvault.events.api import get_head
from bitvault.kernel import db, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound


def to_template(row: Template, fields: Sequence[Field]) -> dtos.MetadataTemplate:
    """Give a template as it passes through the door."""
    return dtos.MetadataTemplate(
        id=row.id,
        name=row.name,
        fields=[
            dtos.MetadataField(id=field.id, name=field.name, kind=field.kind, choices=field.choices)  # type: ignore[arg-type] # the column holds no other
            for field in fields
        ],
    )


def list_templates() -> list[dtos.MetadataTemplate]:
    """List all templates of the tenant by name, by two statements."""
    with db.read_transaction():
        rows = list(Template.objects.all())
        fields: dict[UUID, list[Field]] = {}
        for field in Field.objects.order_by("position", "id"):
            fields.setdefault(field.template_id, []).append(field)
    rows.sort(key=lambda row: (names.sort_key_of(row.name), row.id))
    return [to_template(row, fields.get(row.id, [])) for row in rows]


def get_field(field_id: UUID) -> Field:
    """Read one field.

    :raises NotFound: there is none.
    """
    with db.read_transaction():
        row = Field.objects.select_related("template").filter(pk=field_id).first()
    if row is None:
        raise NotFound
    return row


def list_values(actor: Actor, node_id: UUID) -> list[dtos.MetadataValue]:
    """List what a node has, by template and field. Whoever calls has judged the right."""
    with db.read_transaction():
        rows = _in_order(FieldValue.objects.filter(node_id=node_id))
    return to_values(actor, rows)


def _in_order(rows: QuerySet[FieldValue]) -> list[FieldValue]:
    found = list(rows.select_related("field__template"))
    return sorted(found, key=lambda row: (names.sort_key_of(row.field.template.name), row.field.position, row.id))


def to_values(actor: Actor, rows: Sequence[FieldValue]) -> list[dtos.MetadataValue]:
    """Give values as they pass through the door, people by their names."""
    people = name_people(actor, [UUID(row.value) for row in rows if row.field.kind == "person"])
    return [_to_value(row, people) for row in rows]


def _to_value(row: FieldValue, people: Mapping[UUID, str]) -> dtos.MetadataValue:
    field = row.field
    return dtos.MetadataValue(
        field_id=field.id,
        template_id=field.template.id,
        template_name=field.template.name,
        name=field.name,
        kind=field.kind,  # type: ignore[arg-type] # the column holds no other
        value=float(row.value) if field.kind == "number" else row.value,
        label=people.get(UUID(row.value), "") if field.kind == "person" else row.value,
        set_by=row.set_by,
        set_at=row.set_at,
    )


def find_held(node_ids: Collection[UUID]) -> dict[UUID, list[FieldValue]]:
    """Find what nodes have, inside the open transaction, in the order of the fields; a node without any is left out."""
    found: dict[UUID, list[FieldValue]] = {}
    for row in _in_order(FieldValue.objects.filter(node_id__in=node_ids)):
        found.setdefault(row.node_id, []).append(row)
    return found


def list_rows(*, after: UUID | None, limit: int) -> dtos.DescribedNodes:
    """Read a page of what nodes have, in the order of the nodes' ids."""
    rows = FieldValue.objects.all() if after is None else FieldValue.objects.filter(node_id__gt=after)
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        node_ids = list(rows.order_by("node_id").values_list("node_id", flat=True).distinct()[:limit])
        found = FieldValue.objects.filter(node_id__in=node_ids).order_by("node_id", "field_id")
        held = list(found.values_list("node_id", "field_id", "field__kind", "value"))
    items = [
        dtos.DescribedNode(node_id, [dtos.HeldValue(*value) for _, *value in values])
        for node_id, values in groupby(held, key=lambda each: each[0])
    ]
    return dtos.DescribedNodes(items, as_of_seq)
