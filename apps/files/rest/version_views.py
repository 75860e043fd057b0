"""Views of a file's versions: parse → door → render. Bringing one back takes room, and so is the gateway's."""

from uuid import UUID

from django.http import HttpResponse

from apps.files import api, errors
from apps.files.dtos import Version
from apps.files.rest import schemas
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.views import ActorRequest, View, operation


class NodeVersions(View):
    """What a file held."""

    @operation(query=schemas.ListVersions, answer=Page[Version], problems=(errors.NotAFile, BadCursor))
    def get(self, request: ActorRequest, node_id: UUID) -> HttpResponse:
        """Read a page of the versions, newest first."""
        query = self.parse_query(schemas.ListVersions, request)
        return self.render(
            api.list_versions(actor=request.actor, node_id=node_id, limit=query.limit, cursor=query.cursor)
        )


class VersionDetail(View):
    """One version of a file. Its bytes come from `/nodes/{id}/content?version_id=`."""

    @operation(answer=Version, problems=(errors.NotAFile,))
    def get(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> HttpResponse:
        """Read it."""
        return self.render(api.get_version(actor=request.actor, node_id=node_id, version_id=version_id))

    @operation(body=schemas.UpdateVersion, answer=Version, problems=(errors.NotAFile,))
    def patch(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> HttpResponse:
        """Give it another label, or pin or unpin it: a pinned version is kept until somebody unpins it."""
        body = self.parse(schemas.UpdateVersion, request)
        return self.render(
            api.update_version(
                actor=request.actor, node_id=node_id, version_id=version_id, label=body.label, pinned=body.pinned
            )
        )

    @operation(status=204, problems=(errors.NotAFile, errors.VersionIsCurrent, errors.VersionPinned))
    def delete(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> HttpResponse:
        """Delete it permanently, and give its room back; never the current one."""
        api.delete_version(actor=request.actor, node_id=node_id, version_id=version_id)
        return self.render(status=204)
