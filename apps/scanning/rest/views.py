"""REST views of scanning: parse → door → render."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.files.errors import NotAFile
from apps.scanning import api, dtos, errors
from apps.scanning.rest import schemas
from bitvault.kernel.errors import Invalid
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class ScanRule(View):
    """How the tenant has its content scanned for malware."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS, read=None)]

    @operation(answer=dtos.Rule)
    def get(self, request: ActorRequest) -> Response:
        """Read it."""
        return Response(api.get_rule(actor=request.actor))

    @operation(body=schemas.ChangeRule, answer=dtos.Rule, problems=(errors.NoScanner,))
    def patch(self, request: ActorRequest) -> Response:
        """Change it. Switched on, what is there already is scanned as well; with `require` and `block` it is closed until then."""
        body = request.body_as(schemas.ChangeRule)
        return Response(api.change_rule(actor=request.actor, mode=body.mode, unscanned=body.unscanned))


class NodeScan(View):
    """How it stands with the scanning of a file."""

    @operation(query=schemas.WhichScan, answer=dtos.Scan, problems=(NotAFile,))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Tell whether it was scanned, what was found, and whether it can be read; to see the file is enough."""
        query = request.query_as(schemas.WhichScan)
        return Response(api.get_scan(actor=request.actor, node_id=node_id, version_id=query.version_id))


class Scans(View):
    """The same for several files, for a list."""

    @operation(query=schemas.WhichScans, answer=dtos.Scans, problems=(errors.TooManyNodes, Invalid))
    def get(self, request: ActorRequest) -> Response:
        """Tell it of up to a hundred files; those that the caller may not see are left out."""
        query = request.query_as(schemas.WhichScans)
        return Response(dtos.Scans(api.list_scans(actor=request.actor, node_ids=_read_ids(query.node_ids))))


class Quarantine(View):
    """What was found."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(query=PageQuery, answer=Page[dtos.Quarantined], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List contents in which something was found, the latest first, those that were released too."""
        return self.paginate(partial(api.list_quarantine, actor=request.actor))


class QuarantineRelease(View):
    """A release."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(body=schemas.Release, answer=dtos.Quarantined, problems=(errors.NotInQuarantine, errors.ReasonMissing))
    def post(self, request: ActorRequest, content_id: UUID) -> Response:
        """Let it be read all the same, wherever it is. Who and why stands in the audit log. Once more, it changes nothing."""
        reason = request.body_as(schemas.Release).reason
        return Response(api.release(actor=request.actor, content_id=content_id, reason=reason))


class QuarantineTrash(View):
    """Putting away."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(answer=dtos.Discarded, problems=(errors.NotInQuarantine, errors.ContentNotInfected))
    def post(self, request: ActorRequest, content_id: UUID) -> Response:
        """Move all files that have it to the trash, whosever they are; locked ones stay. It is closed there as well."""
        return Response(api.discard(actor=request.actor, content_id=content_id))


def _read_ids(text: str) -> list[UUID]:
    try:
        return list(dict.fromkeys(UUID(each) for each in text.split(",") if each))
    except ValueError:
        raise Invalid("`node_ids` takes ids, parted by commas.") from None
