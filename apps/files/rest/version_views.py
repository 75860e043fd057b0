"""Views of a file's versions: parse → door → render. Bringing one back takes room, and so is the gateway's."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.files import api, errors
from apps.files.api import versions
from apps.files.dtos.history import ExpiryPreview
from apps.files.dtos.versions import Version
from apps.files.rest import schemas
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class NodeVersions(View):
    """What a file held."""

    @operation(query=schemas.ListVersions, answer=Page[Version], problems=(errors.NotAFile, BadCursor))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Read a page of the versions, newest first. Rules of the vault that delete earlier ones are among its policies (`GET /tenant`)."""
        return self.paginate(partial(api.list_versions, actor=request.actor, node_id=node_id))


class VersionDetail(View):
    """One version of a file. Its bytes come from `/nodes/{id}/content?version_id=`."""

    @operation(answer=Version, problems=(errors.NotAFile,))
    def get(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> Response:
        """Read it."""
        return Response(api.get_version(actor=request.actor, node_id=node_id, version_id=version_id))

    @operation(body=schemas.UpdateVersion, answer=Version, problems=(errors.NotAFile,))
    def patch(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> Response:
        """Give it another label, or pin or unpin it: a pinned version is kept until somebody unpins it."""
        body = request.body_as(schemas.UpdateVersion)
        return Response(
            api.update_version(
                actor=request.actor, node_id=node_id, version_id=version_id, label=body.label, pinned=body.pinned
            )
        )

    @operation(
        status=204,
        problems=(
            errors.NotAFile,
            errors.NodeLocked,
            errors.VersionIsCurrent,
            errors.VersionPinned,
            errors.OnHold,
            errors.KeptByRule,
        ),
    )
    def delete(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> Response:
        """Delete it permanently, and give its room back; never the current one."""
        api.delete_version(actor=request.actor, node_id=node_id, version_id=version_id)
        return Response(status=204)


class VersionExpiry(View):
    """What rules for earlier versions would do."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(query=schemas.PreviewExpiry, answer=ExpiryPreview)
    def get(self, request: ActorRequest) -> Response:
        """Count the earlier versions that such rules would delete by now, and what they take; nothing is changed.

        The rules themselves are among the vault's policies (`PATCH /tenant`). In a large vault the count ends after some seconds:
        without `is_complete` there are more.
        """
        query = request.query_as(schemas.PreviewExpiry)
        found = versions.preview_version_expiry(
            actor=request.actor, keep_count=query.keep_count, keep_days=query.keep_days, thinning=query.thinning
        )
        return Response(found)
