"""Metadata of nodes: setting and clearing fields, by whoever may edit the node."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from apps.annotations import dtos, errors
from apps.annotations.models import Field, FieldValue
from apps.annotations.operations.copies import Copy
from apps.annotations.operations.tagging import require_edit
from apps.annotations.queries import metadata as queries
from apps.identity import api as identity
from bitvault.events.api import publish
from bitvault.events.catalog.annotations import MetadataChanged
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound

NODE_LIMIT = 100
"""Fields of one node that have values."""

TEXT_LIMIT = 1_000
"""Characters of a text."""

NUMBER_DIGITS = 15
"""Digits before and behind the point: what a double tells apart."""


def set_value(*, actor: Actor, node_id: UUID, field_id: UUID, value: dtos.Value) -> dtos.MetadataValue:
    """Let a node have a value in a field; the one that it has already stays.

    :raises NotFound: there is no such node that the actor may know of, or no such field.
    :raises Forbidden: the actor may not edit the node.
    :raises ValueUnfit, TooMuchMetadata: it is refused.
    """
    require_edit(actor, node_id)
    text = _parse(actor, queries.get_field(field_id), value)
    with db.write_transaction():
        field = _lock(field_id)
        row = FieldValue.objects.filter(node_id=node_id, field=field).first()
        if row is None and FieldValue.objects.filter(node_id=node_id).count() >= NODE_LIMIT:
            raise errors.TooMuchMetadata(limit=NODE_LIMIT)
        if row is None or row.value != text:
            row = row or FieldValue(id=ids.new_id(), field=field, node_id=node_id)
            row.value, row.set_by, row.set_at = text, actor.user_id, clock.now()
            row.save()
            _tell(actor.user_id, [node_id])
    row.field = field
    return queries.to_values(actor, [row])[0]


def clear_value(*, actor: Actor, node_id: UUID, field_id: UUID) -> None:
    """Let a node have nothing in a field; one that is empty stays so.

    :raises NotFound: there is no such node that the actor may know of, or no such field.
    :raises Forbidden: the actor may not edit the node.
    """
    require_edit(actor, node_id)
    with db.write_transaction():
        _lock(field_id)
        count, _ = FieldValue.objects.filter(node_id=node_id, field_id=field_id).delete()
        if count:
            _tell(actor.user_id, [node_id])


def carry_to_copies(copies: Sequence[Copy]) -> None:
    """Give copies what their originals have, in the open transaction of the consumer."""
    held = queries.find_held({copy.source_id for copy in copies})
    described = [copy for copy in copies if copy.source_id in held]
    new = [
        FieldValue(
            id=ids.new_id(),
            field_id=row.field_id,
            node_id=copy.node_id,
            value=row.value,
            set_by=copy.made_by,
            set_at=clock.now(),
        )
        for copy in described
        for row in held[copy.source_id]
    ]
    FieldValue.objects.bulk_create(new, ignore_conflicts=True)
    for copy in described:
        _tell(copy.made_by, [copy.node_id])


def _tell(user_id: UUID, node_ids: Sequence[UUID]) -> None:
    found = queries.find_held(node_ids)
    for node_id in node_ids:
        rows = found.get(node_id, [])
        publish(
            MetadataChanged(
                actor_id=user_id,
                node_id=node_id,
                field_ids=[row.field_id for row in rows],
                names=[row.field.name for row in rows],
                kinds=[row.field.kind for row in rows],
                values=[row.value for row in rows],
            )
        )


def _lock(field_id: UUID) -> Field:
    """Hold a field's row, so that nothing is put into one that is being removed."""
    row = Field.objects.select_for_update(of=("self",)).select_related("template").filter(pk=field_id).first()
    if row is None:
        raise NotFound
    return row


def _parse(actor: Actor, field: Field, value: dtos.Value) -> str:
    """Read a value as the field keeps it.

    :raises ValueUnfit: it is none for this field.
    """
    match field.kind, value:
        case "number", int() | float() | str():
            return _parse_number(value)
        case "text", str():
            return _parse_text(value)
        case "date", str():
            return _parse_day(value)
        case "choice", str() if value in field.choices:
            return value
        case "person", str():
            return _parse_person(actor, value)
    raise errors.ValueUnfit(kind=field.kind, reason="not_offered" if field.kind == "choice" else "type")


def _parse_number(value: dtos.Value) -> str:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise errors.ValueUnfit(kind="number", reason="type") from error
    if not number.is_finite() or abs(number) >= 10**NUMBER_DIGITS:
        raise errors.ValueUnfit(kind="number", reason="range")
    text = format(round(number, NUMBER_DIGITS), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).removeprefix("+") or "0"


def _parse_text(value: str) -> str:
    text = " ".join(value.split())
    if not text or len(text) > TEXT_LIMIT or not text.isprintable():
        raise errors.ValueUnfit(kind="text", reason="range")
    return text


def _parse_day(value: str) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError as error:
        raise errors.ValueUnfit(kind="date", reason="type") from error


def _parse_person(actor: Actor, value: str) -> str:
    try:
        user_id = UUID(value)
    except ValueError as error:
        raise errors.ValueUnfit(kind="person", reason="type") from error
    if user_id not in identity.name_people(tenant=actor.tenant, user_ids={user_id}):
        raise errors.ValueUnfit(kind="person", reason="nobody")
    return str(user_id)
