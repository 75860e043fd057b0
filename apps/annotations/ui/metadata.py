"""Metadata of a node for the details panel, and the page on which templates are made. Changes go over REST."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.annotations.api import metadata as api
from apps.annotations.dtos import FieldKind, MetadataField, MetadataTemplate, MetadataValue
from apps.files import api as files
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: dict[FieldKind, "StrOrPromise"] = {
    "text": _("Text"),
    "number": _("Number"),
    "date": _("Date"),
    "choice": _("Choice"),
    "person": _("Person"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A field with what the node has in it, as the panel shows it; ``facts`` are for the script."""

    name: str
    shown: str
    facts: str


@dataclass(frozen=True, slots=True)
class Group:
    """What a node has in the fields of one template, or which of its fields it could have."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as the page lists it."""

    template: MetadataTemplate
    fields: Sequence[tuple[str, "StrOrPromise", str]]
    """Of each field its name, what its values are called, and what can be chosen."""
    facts: str


class NodeMetadata(MemberPage):
    """What a node has in fields of metadata, for the details panel."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, and the way to change it for whoever may."""
        ids, actor = read_ids(request), request.actor
        if len(ids) != 1:
            return HttpResponse(status=204)
        node = files.get_node(actor=actor, node_id=ids[0])
        if "view" not in node.capabilities:
            return HttpResponse(status=204)
        values = api.list_metadata(actor=actor, node_id=node.id)
        templates = api.list_templates(actor=actor)
        may_edit = "edit" in node.capabilities
        if not values and not templates:
            return HttpResponse(status=204)
        held = {value.field_id for value in values}
        fields = {field.id: field for template in templates for field in template.fields}
        groups = [
            Group(name, [_to_line(value, fields.get(value.field_id)) for value in some])
            for name, some in groupby(values, key=lambda value: value.template_name)
        ]
        addable = [
            Group(template.name, [_to_empty(field) for field in template.fields if field.id not in held])
            for template in templates
        ]
        context = {
            "node_id": node.id,
            "groups": groups,
            "may_edit": may_edit,
            "addable": [group for group in addable if group.lines],
        }
        return render(request, "annotations/details_metadata.html", context)


def _to_line(value: MetadataValue, field: MetadataField | None) -> Line:
    facts = {
        "id": str(value.field_id),
        "name": value.name,
        "kind": value.kind,
        "value": value.value,
        "label": value.label,
        "choices": list(field.choices) if field is not None else [],
    }
    return Line(value.name, _show(value), msgspec.json.encode(facts).decode())


def _to_empty(field: MetadataField) -> Line:
    facts = {"id": str(field.id), "name": field.name, "kind": field.kind, "choices": list(field.choices)}
    return Line(field.name, "", msgspec.json.encode(facts).decode())


def _show(value: MetadataValue) -> str:
    """Write a value as people read it."""
    if value.kind == "number":
        whole, _dot, digits = value.label.partition(".")
        return str(number_format(value.label, decimal_pos=len(digits), force_grouping=len(whole) > 4))  # noqa: PLR2004 - a year has four
    if value.kind == "date":
        return str(date_format(date.fromisoformat(value.label), "DATE_FORMAT"))
    return value.label or gettext("A former member")


class TemplatesPage(MemberPage):
    """The templates of metadata."""

    section = "metadata"
    permissions = (Permission.MANAGE_METADATA,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them; who manages metadata makes, changes and deletes them here."""
        context = {
            "templates": [_to_listed(template) for template in api.list_templates(actor=request.actor)],
            "kinds": KINDS.items(),
        }
        return render(request, "annotations/templates.html", context)


def _to_listed(template: MetadataTemplate) -> Listed:
    facts = msgspec.json.encode(msgspec.to_builtins(template)).decode()
    fields = [(field.name, KINDS[field.kind], ", ".join(field.choices)) for field in template.fields]
    return Listed(template, fields, facts)
