"""The doors of metadata: templates, and what nodes have in their fields."""

from collections.abc import Sequence
from uuid import UUID

from apps.annotations import dtos
from apps.annotations.operations import commenting, describing, templates
from apps.annotations.queries import metadata
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_LIMIT


@exposed
def list_templates(*, actor: Actor) -> list[dtos.MetadataTemplate]:
    """List all templates of the tenant by name, each with its fields. Guests learn what they see alone, and so get none here."""
    actor.require_scope(Scope.FILES_READ)
    return [] if actor.is_guest else metadata.list_templates()


@exposed
def create_template(*, actor: Actor, name: str, fields: Sequence[dtos.FieldWish]) -> dtos.MetadataTemplate:
    """Make a template.

    :raises PermissionMissing: the actor does not manage metadata.
    :raises TemplateUnfit: the name or a field cannot be used.
    :raises TemplateNameTaken: there is one whose name differs in case or spelling at most.
    :raises TooManyTemplates: the tenant has as many as it can have.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return templates.create(actor=actor, name=name, fields=fields)


@exposed
def update_template(
    *, actor: Actor, template_id: UUID, name: str | None = None, fields: Sequence[dtos.FieldWish] | None = None
) -> dtos.MetadataTemplate:
    """Give a template another name, or other fields; a field that is left out goes, with what nodes have in it.

    :raises NotFound: there is none, or it has no such field.
    :raises PermissionMissing: the actor does not manage metadata.
    :raises TemplateUnfit, TemplateNameTaken: as ``create_template``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return templates.change(actor=actor, template_id=template_id, name=name, fields=fields)


@exposed
def delete_template(*, actor: Actor, template_id: UUID) -> None:
    """Delete a template, with what nodes have in its fields.

    :raises NotFound: there is none.
    :raises PermissionMissing: the actor does not manage metadata.
    """
    actor.require_scope(Scope.FILES_WRITE)
    templates.delete(actor=actor, template_id=template_id)


@exposed
def list_metadata(*, actor: Actor, node_id: UUID) -> list[dtos.MetadataValue]:
    """List what a node has in fields, by template and field.

    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may not view it.
    """
    actor.require_scope(Scope.FILES_READ)
    node = commenting.require(actor, node_id, "view")
    return metadata.list_values(actor, node.id)


@exposed
def set_metadata(*, actor: Actor, node_id: UUID, field_id: UUID, value: dtos.Value) -> dtos.MetadataValue:
    """Let a node have a value in a field. Repeatable.

    :param value: a number, or text: a day as 2026-12-31, one of the choices, a person's id.
    :raises NotFound: there is no such node that the actor may know of, or no such field.
    :raises Forbidden: the actor may not edit the node.
    :raises ValueUnfit: it is not what the field takes.
    :raises TooMuchMetadata: the node has values in as many fields as one can have.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return describing.set_value(actor=actor, node_id=node_id, field_id=field_id, value=value)


@exposed
def clear_metadata(*, actor: Actor, node_id: UUID, field_id: UUID) -> None:
    """Let a node have nothing in a field. Repeatable.

    :raises NotFound: there is no such node that the actor may know of, or no such field.
    :raises Forbidden: the actor may not edit the node.
    """
    actor.require_scope(Scope.FILES_WRITE)
    describing.clear_value(actor=actor, node_id=node_id, field_id=field_id)


@exposed
def list_metadata_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> dtos.DescribedNodes:
    """Read what nodes of the entered tenant have in fields, in the order of the nodes' ids, for a derivation that is made anew.

    Each page is exact at its own number, and pages are of different instants, as those of ``files.list_tree_rows``.
    """
    return metadata.list_rows(after=after, limit=limit)
