"""Views of team folders: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.files import api, errors
from apps.files.dtos import TeamFolder
from apps.files.rest import schemas
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import PreconditionRequired
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web import etags
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_NAME = (errors.InvalidName, errors.NameTaken)

MANAGED = HasPermission.to(
    Permission.MANAGE_TEAM_FOLDERS, read=Scope.FILES_READ, others="whoever manages the folder itself"
)


class TeamFolders(View):
    """Folders of the whole tenant."""

    permission_classes = [MANAGED]

    @operation(query=schemas.ListTeamFolders, answer=Page[TeamFolder])
    def get(self, request: ActorRequest) -> Response:
        """List those that the caller reaches, by name, all of them in one page; with `ended`, for administrators, those in the trash."""
        query = request.query_as(schemas.ListTeamFolders)
        return Response(api.list_team_folders(actor=request.actor, ended=query.ended))

    @operation(
        body=schemas.CreateTeamFolder,
        answer=TeamFolder,
        status=201,
        problems=(*_NAME, errors.TooManyTeamFolders),
        repeatable=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one, for who manages team folders; who else may do what in it is said by `/nodes/{id}/shares`."""
        body = request.body_as(schemas.CreateTeamFolder)
        return self.repeatable(request, lambda: api.create_team_folder(actor=request.actor, name=body.name))


class TeamFolderDetail(View):
    """One team folder. What lies in it is read and changed as in any folder, by `/nodes/{id}`."""

    permission_classes = [MANAGED]

    @operation(answer=TeamFolder)
    def get(self, request: ActorRequest, folder_id: UUID) -> Response:
        """Read it; `304` when `If-None-Match` names its present revision."""
        folder = api.get_team_folder(actor=request.actor, folder_id=folder_id)
        if etags.is_fresh(request, folder.revision):
            return Response(status=304, headers={"ETag": etags.etag_of(folder.revision)})
        return Response(folder, headers={"ETag": etags.etag_of(folder.revision)})

    @operation(
        body=schemas.UpdateTeamFolder,
        answer=TeamFolder,
        problems=(*_NAME, errors.NodeLocked, errors.RevisionMismatch, PreconditionRequired),
    )
    def patch(self, request: ActorRequest, folder_id: UUID) -> Response:
        """Change its name; needs `If-Match`."""
        body = request.body_as(schemas.UpdateTeamFolder)
        folder = api.rename_team_folder(
            actor=request.actor,
            folder_id=folder_id,
            name=body.name,
            expected_revision=etags.read_if_match(request),
        )
        return Response(folder, headers={"ETag": etags.etag_of(folder.revision)})

    @operation(status=204, problems=(errors.RevisionMismatch, errors.NodeLocked))
    def delete(self, request: ActorRequest, folder_id: UUID) -> Response:
        """End it: into the trash, with all that is in it; `If-Match` is honoured when sent."""
        expected = etags.read_if_match(request)
        api.end_team_folder(
            actor=request.actor, folder_id=folder_id, expected_revision="any" if expected is None else expected
        )
        return Response(status=204)


class TeamFolderRestore(View):
    """The way back for a team folder that has ended."""

    permission_classes = [MANAGED]

    @operation(
        body=schemas.RestoreTeamFolder,
        answer=TeamFolder,
        problems=(*_NAME, errors.TooManyTeamFolders),
        repeatable=True,
    )
    def post(self, request: ActorRequest, folder_id: UUID) -> Response:
        """Bring it back, with all that was in it and the shares that it had."""
        body = request.body_as(schemas.RestoreTeamFolder)
        return self.repeatable(
            request,
            lambda: api.restore_team_folder(actor=request.actor, folder_id=folder_id, name=body.name),
            status=200,
        )
