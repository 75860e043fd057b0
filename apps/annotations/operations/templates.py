"""Templates of metadata: named sets of fields, made by whoever manages metadata."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import TextField, Value
from django.db.models.functions import Cast, Concat

from apps.annotations import dtos, errors
from apps.annotations.models import Field, Template
from apps.annotations.queries import metadata as queries
from bitvault.events.api import publish
from bitvault.events.catalog.annotations import TemplateChanged, TemplateCreated, TemplateDeleted
from bitvault.kernel import clock, db, ids, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.permissions import Permission

TEMPLATES_LIMIT = 50
"""Templates of a tenant: every page that offers fields reads all."""

FIELDS_LIMIT = 30
CHOICES_LIMIT = 100
NAME_LIMIT = 60
CHOICE_LIMIT = 100
"""Fields of a template, choices of a field, and characters of their names."""

_NAMES = "annotations.templates"
"""The lock under which names are compared."""


def create(*, actor: Actor, name: str, fields: Sequence[dtos.FieldWish]) -> dtos.MetadataTemplate:
    """Make a template.

    :raises PermissionMissing: the actor does not manage metadata.
    :raises TemplateUnfit, TemplateNameTaken, TooManyTemplates: it is refused.
    """
    actor.require_permission(Permission.MANAGE_METADATA)
    name, key = _parse(name)
    wanted = _parse_fields(fields)
    with db.write_transaction(lock=_NAMES) as tx:
        _require_free(key)
        if Template.objects.count() >= TEMPLATES_LIMIT:
            raise errors.TooManyTemplates(limit=TEMPLATES_LIMIT)
        row = Template.objects.create(
            id=ids.new_id(), name=name, name_key=key, created_by=actor.user_id, created_at=clock.now()
        )
        made = [_to_field(row, number, wish) for number, wish in enumerate(wanted)]
        Field.objects.bulk_create(made)
        publish(
            TemplateCreated(
                actor_id=actor.user_id, template_id=row.id, name=row.name, field_names=[field.name for field in made]
            )
        )
        return tx.answer(queries.to_template(row, made))


def change(
    *, actor: Actor, template_id: UUID, name: str | None, fields: Sequence[dtos.FieldWish] | None
) -> dtos.MetadataTemplate:
    """Give a template another name, or other fields: those that are not named go, with all values in them.

    :raises NotFound: there is none, or it has no field of an id that is named.
    :raises PermissionMissing: the actor does not manage metadata.
    :raises TemplateUnfit, TemplateNameTaken: it is refused.
    """
    actor.require_permission(Permission.MANAGE_METADATA)
    parsed = None if name is None else _parse(name)
    wanted = None if fields is None else _parse_fields(fields)
    with db.write_transaction(lock=_NAMES) as tx:
        row = _lock(template_id)
        before = queries.to_template(row, _fields_of(row))
        if parsed is not None:
            _require_free(parsed[1], except_id=row.id)
            row.name, row.name_key = parsed
            row.save()
        removed = [] if wanted is None else _replace_fields(row, wanted)
        after = queries.to_template(row, _fields_of(row))
        if after != before:
            publish(
                TemplateChanged(
                    actor_id=actor.user_id,
                    template_id=row.id,
                    name=row.name,
                    field_names=[field.name for field in after.fields],
                    removed_field_ids=removed,
                )
            )
        return tx.answer(after)


def delete(*, actor: Actor, template_id: UUID) -> None:
    """Delete a template, with its fields and all values in them.

    :raises NotFound: there is none.
    :raises PermissionMissing: the actor does not manage metadata.
    """
    actor.require_permission(Permission.MANAGE_METADATA)
    with db.write_transaction(lock=_NAMES):
        row = _lock(template_id)
        removed = [field.id for field in _fields_of(row)]
        row.delete()
        publish(
            TemplateDeleted(actor_id=actor.user_id, template_id=template_id, name=row.name, removed_field_ids=removed)
        )


def _replace_fields(row: Template, wanted: Sequence[dtos.FieldWish]) -> list[UUID]:
    """Let a template have these fields in this order; returns the ids of those that are removed."""
    present = {field.id: field for field in _fields_of(row)}
    kept_ids = {wish.id for wish in wanted if wish.id is not None}
    if not kept_ids <= present.keys():
        raise NotFound
    removed = [field_id for field_id in present if field_id not in kept_ids]
    Field.objects.filter(id__in=removed).delete()
    kept = []
    for number, wish in enumerate(wanted):
        if wish.id is None:
            continue
        field = present[wish.id]
        if field.kind != wish.kind:
            raise errors.TemplateUnfit("The kind of a field stays: make another field.", reason="kind")
        field.position, field.name, field.name_key = number, wish.name, names.key_of(wish.name)
        field.choices = list(wish.choices)
        kept.append(field)
    # Two fields may change their names with each other.
    Field.objects.filter(id__in=kept_ids).update(name_key=Concat(Value("\n"), Cast("id", TextField())))
    Field.objects.bulk_update(kept, ["position", "name", "name_key", "choices"])
    Field.objects.bulk_create([_to_field(row, at, wish) for at, wish in enumerate(wanted) if wish.id is None])
    return removed


def _to_field(row: Template, number: int, wish: dtos.FieldWish) -> Field:
    return Field(
        id=ids.new_id(),
        template=row,
        position=number,
        name=wish.name,
        name_key=names.key_of(wish.name),
        kind=wish.kind,
        choices=list(wish.choices),
    )


def _fields_of(row: Template) -> list[Field]:
    return list(Field.objects.filter(template=row).order_by("position", "id"))


def _lock(template_id: UUID) -> Template:
    row = Template.objects.select_for_update().filter(pk=template_id).first()
    if row is None:
        raise NotFound
    return row


def _parse_line(text: str, limit: int, reason: str) -> str:
    line = " ".join(text.split())
    if not line or len(line) > limit or not line.isprintable() or not any(letter.isalnum() for letter in line):
        raise errors.TemplateUnfit(reason=reason)
    return line


def _parse(text: str) -> tuple[str, str]:
    name = _parse_line(text, NAME_LIMIT, "name")
    return name, names.key_of(name)


def _parse_fields(fields: Sequence[dtos.FieldWish]) -> list[dtos.FieldWish]:
    """Read the fields that a template is to have.

    :raises TemplateUnfit: they cannot be.
    """
    if not 1 <= len(fields) <= FIELDS_LIMIT:
        raise errors.TemplateUnfit(reason="fields")
    parsed = []
    for field in fields:
        choices = list(dict.fromkeys(_parse_line(choice, CHOICE_LIMIT, "choices") for choice in field.choices))
        if (field.kind == "choice") != bool(choices) or len(choices) > CHOICES_LIMIT:
            raise errors.TemplateUnfit(reason="choices")
        name = _parse_line(field.name, NAME_LIMIT, "field_name")
        parsed.append(dtos.FieldWish(id=field.id, name=name, kind=field.kind, choices=choices))
    kept_ids = [field.id for field in parsed if field.id is not None]
    if len({names.key_of(field.name) for field in parsed}) < len(parsed) or len(set(kept_ids)) < len(kept_ids):
        raise errors.TemplateUnfit(reason="twice")
    return parsed


def _require_free(key: str, *, except_id: UUID | None = None) -> None:
    taken = Template.objects.filter(name_key=key).first()
    if taken is not None and taken.id != except_id:
        raise errors.TemplateNameTaken(template_id=taken.id)
