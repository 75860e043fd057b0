"""REST views of folders' descriptions: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.annotations import errors
from apps.annotations.api import descriptions as api
from apps.annotations.dtos import FolderDescription
from apps.annotations.rest import schemas
from apps.files.errors import NotAFolder
from bitvault.kernel.errors import PreconditionRequired
from bitvault.web import etags
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class NodeDescription(View):
    """The description of a folder."""

    @operation(answer=FolderDescription, problems=(NotAFolder,))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Read it; the text is empty where the folder has none. It is Markdown."""
        return _answer(api.get_description(actor=request.actor, node_id=node_id))

    @operation(
        body=schemas.SetDescription,
        answer=FolderDescription,
        problems=(NotAFolder, errors.DescriptionUnfit, errors.DescriptionMismatch, PreconditionRequired),
    )
    def put(self, request: ActorRequest, node_id: UUID) -> Response:
        """Write it; needs the capability `edit`, and `If-Match` where there is one already. What holds already changes nothing."""
        found = api.set_description(
            actor=request.actor,
            node_id=node_id,
            text=request.body_as(schemas.SetDescription).text,
            expected_revision=etags.read_if_match(request),
        )
        return _answer(found)

    @operation(status=204, problems=(NotAFolder, errors.DescriptionMismatch))
    def delete(self, request: ActorRequest, node_id: UUID) -> Response:
        """Remove it; `If-Match` is honoured when sent. A folder without one stays so."""
        api.remove_description(actor=request.actor, node_id=node_id, expected_revision=etags.read_if_match(request))
        return Response(status=204)


def _answer(found: FolderDescription) -> Response:
    """Render a description; one that never was has no tag."""
    return Response(found, headers={"ETag": etags.etag_of(found.revision)} if found.revision else {})
