"""Views of SIEM exports: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.admin_platform import api, dtos, errors
from apps.admin_platform.rest import schemas
from bitvault.jobs.dtos import Job
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.responses import JobAccepted
from bitvault.web.views import View


class SiemExports(View):
    """Where the audit log is sent on to."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(answer=Page[dtos.SiemExport], problems=(errors.TokenNarrowed,))
    def get(self, request: ActorRequest) -> Response:
        """List them with how far each is, oldest first, all in one page."""
        return Response(api.list_siem_exports(actor=request.actor))

    @operation(
        body=schemas.CreateSiemExport,
        answer=dtos.SiemExport,
        status=201,
        problems=(
            errors.TokenNarrowed,
            errors.SiemAddressUnfit,
            errors.TooManySiemExports,
            errors.AuditNumberUnknown,
        ),
    )
    def post(self, request: ActorRequest) -> Response:
        """Send the log to an address: each entry at least once, in the order of the chain. Its `secret` is never told again."""
        wish = request.body_as(schemas.CreateSiemExport).to_wish()
        return Response(api.create_siem_export(actor=request.actor, wish=wish), status=201)


class SiemExportDetail(View):
    """One SIEM export."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(
        body=schemas.ChangeSiemExport,
        answer=dtos.SiemExport,
        problems=(errors.TokenNarrowed, errors.SiemAddressUnfit),
    )
    def patch(self, request: ActorRequest, export_id: UUID) -> Response:
        """Change it. With `enabled: true` it goes on from where it stopped; what waits for a further try is sent at once."""
        changes = request.body_as(schemas.ChangeSiemExport).to_changes()
        return Response(api.change_siem_export(actor=request.actor, export_id=export_id, changes=changes))

    @operation(status=204, problems=(errors.TokenNarrowed,))
    def delete(self, request: ActorRequest, export_id: UUID) -> Response:
        """Send the log there no more."""
        api.delete_siem_export(actor=request.actor, export_id=export_id)
        return Response(status=204)


class SiemExportTest(View):
    """A test of a SIEM export."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(answer=Job, status=202, problems=(errors.TokenNarrowed,))
    def post(self, request: ActorRequest, export_id: UUID) -> Response:
        """Send a message of the type `audit.siem.test`. The job's `result` tells what became of it (`is_taken`, `failure`, `status`)."""
        return JobAccepted(api.test_siem_export(actor=request.actor, export_id=export_id))


class SiemExportRestart(View):
    """A new beginning for a receiver that has lost entries."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(
        body=schemas.RestartSiemExport,
        answer=dtos.SiemExport,
        status=202,
        problems=(errors.TokenNarrowed, errors.AuditNumberUnknown),
    )
    def post(self, request: ActorRequest, export_id: UUID) -> Response:
        """Send the log again from the entry `from_number` on, and then go on."""
        number = request.body_as(schemas.RestartSiemExport).from_number
        answer = api.restart_siem_export(actor=request.actor, export_id=export_id, from_number=number)
        return Response(answer, status=202)
