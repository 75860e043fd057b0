"""REST views of metadata: parse → door → render."""

from collections.abc import Sequence
from uuid import UUID

from rest_framework.response import Response

from apps.annotations import errors
from apps.annotations.api import metadata as api
from apps.annotations.dtos import FieldWish, MetadataTemplate, MetadataValue, NodeMetadata
from apps.annotations.rest import schemas
from bitvault.kernel.actor import Scope
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Templates(View):
    """The templates of metadata of the tenant."""

    @operation(answer=Page[MetadataTemplate])
    def get(self, request: ActorRequest) -> Response:
        """List all of them by name, in one page, each with its fields."""
        return Response(Page(api.list_templates(actor=request.actor), None))

    @operation(
        body=schemas.CreateTemplate,
        answer=MetadataTemplate,
        status=201,
        problems=(errors.TemplateUnfit, errors.TemplateNameTaken, errors.TooManyTemplates),
        repeatable=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one. Needs the permission `manage_metadata`."""
        body = request.body_as(schemas.CreateTemplate)
        fields = _to_wishes(body.fields)
        return self.repeatable(request, lambda: api.create_template(actor=request.actor, name=body.name, fields=fields))


class TemplateDetail(View):
    """One template."""

    permission_classes = [HasPermission.to(Permission.MANAGE_METADATA, read=Scope.FILES_READ, scope=Scope.FILES_WRITE)]

    @operation(
        body=schemas.ChangeTemplate,
        answer=MetadataTemplate,
        problems=(errors.TemplateUnfit, errors.TemplateNameTaken),
    )
    def patch(self, request: ActorRequest, template_id: UUID) -> Response:
        """Give it another name or other fields. A field that is left out goes, with what files and folders have in it."""
        body = request.body_as(schemas.ChangeTemplate)
        fields = None if body.fields is None else _to_wishes(body.fields)
        return Response(
            api.update_template(actor=request.actor, template_id=template_id, name=body.name, fields=fields)
        )

    @operation(status=204)
    def delete(self, request: ActorRequest, template_id: UUID) -> Response:
        """Delete it, with what files and folders have in its fields."""
        api.delete_template(actor=request.actor, template_id=template_id)
        return Response(status=204)


class NodeMetadataList(View):
    """Metadata of a node."""

    @operation(answer=NodeMetadata)
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List it, by template and field."""
        return Response(NodeMetadata(api.list_metadata(actor=request.actor, node_id=node_id)))


class NodeMetadataValue(View):
    """What a node has in a field."""

    @operation(
        body=schemas.SetMetadata,
        answer=MetadataValue,
        problems=(errors.ValueUnfit, errors.TooMuchMetadata),
    )
    def put(self, request: ActorRequest, node_id: UUID, field_id: UUID) -> Response:
        """Let it have a value there. Needs the capability `edit`."""
        value = request.body_as(schemas.SetMetadata).value
        return Response(api.set_metadata(actor=request.actor, node_id=node_id, field_id=field_id, value=value))

    @operation(status=204)
    def delete(self, request: ActorRequest, node_id: UUID, field_id: UUID) -> Response:
        """Let it have nothing there; an empty field stays so."""
        api.clear_metadata(actor=request.actor, node_id=node_id, field_id=field_id)
        return Response(status=204)


def _to_wishes(fields: Sequence[schemas.WantedField]) -> list[FieldWish]:
    return [FieldWish(id=field.id, name=field.name, kind=field.kind, choices=field.choices) for field in fields]
