"""Views of the audit log and of features: parse → door → render."""

from functools import partial
from typing import Literal
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from apps.admin_platform import api
from apps.admin_platform.dtos import AuditAnchor, AuditKey, AuditPage, Feature, Verification
from apps.admin_platform.errors import (
    AnchorsNeedWholeLog,
    FeatureForced,
    FeatureNotYours,
    FeatureUnknown,
    FeatureValueUnfit,
    VerificationFailed,
)
from apps.admin_platform.rest import schemas
from bitvault.jobs.dtos import Job
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.derived import require_position
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.renderers import CsvRenderer, JsonLinesRenderer
from bitvault.web.requests import ActorRequest
from bitvault.web.responses import JobAccepted
from bitvault.web.views import View

EXPORT_HEADERS = {
    "BitVault-As-Of-Seq": {
        "description": "The number of the stream up to which the log has come.",
        "schema": {"type": "integer"},
    },
    "BitVault-Next-After": {"description": "The number of the last entry here.", "schema": {"type": "integer"}},
    "BitVault-Has-More": {
        "description": "Whether entries follow.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
    "Link": {"description": "The next page (`rel=next`), where more follows.", "schema": {"type": "string"}},
}


class Audit(View):
    """The audit log."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(query=schemas.ListAudit, answer=AuditPage, problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """Read a page, newest first."""
        query = request.query_as(schemas.ListAudit)
        require_position(api.CONSUMER, query)
        return self.paginate(partial(api.list_audit, actor=request.actor, wanted=query.wanted))


class AuditVerification(View):
    """Whether the log is as it was written."""

    limit_class = RouteClass.HEAVY
    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(
        query=schemas.VerifyAudit,
        answer=Verification,
        pending=Job,
        problems=(NotFound, VerificationFailed),
    )
    def get(self, request: ActorRequest) -> Response:
        """Recompute the chain of hashes. A long log is verified by a job: 202 until it is done; ask again, or for its `job_id`.

        A result is answered again for half a minute, unless `min_seq` asks for a later one.
        """
        query = request.query_as(schemas.VerifyAudit)
        require_position(api.CONSUMER, query)
        found = api.verify_audit(actor=request.actor, job_id=query.job_id, min_seq=query.min_seq)
        return JobAccepted(found) if isinstance(found, Job) else Response(found)


class AuditExport(View):
    """The log as JSON lines, for keeping and verifying elsewhere."""

    limit_class = RouteClass.HEAVY
    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]
    renderer_classes = [JsonLinesRenderer]

    def choose_limit_class(self, request: Request) -> RouteClass:
        """To begin an export is heavy; its further pages are read."""
        return RouteClass.READ if request.query_params.get("after", "0") != "0" else RouteClass.HEAVY

    @operation(query=schemas.ExportAuditLines, problems=(AnchorsNeedWholeLog,), headers=EXPORT_HEADERS)
    def get(self, request: ActorRequest) -> Response:
        """Read a page of the log in the order of the chain, one entry a line; filtered, or whole as a verification needs it.

        A page ends at `limit` lines or at some 4 MiB. The log goes on while `BitVault-Has-More` is `true`: ask with
        `after` = `BitVault-Next-After`, or follow `Link`. With `anchors=true` the pages together are what `bitvault-verify` checks:
        a line `{"export": …}` comes first, `{"anchor": …}` after the entry that it signs, and `{"end": …}`, signed too, last.
        """
        query = request.query_as(schemas.ExportAuditLines)
        return _export(request, query, "json_lines", with_anchors=query.anchors)


class AuditExportCsv(AuditExport):
    """The log as CSV, for spreadsheets: with the names of people, and with nothing that a spreadsheet would run as a formula."""

    renderer_classes = [CsvRenderer]

    @operation(query=schemas.ExportAudit, headers=EXPORT_HEADERS)
    def get(self, request: ActorRequest) -> Response:
        """Read a page of the log as CSV, as `/audit/export` gives it in JSON lines; the first page has the names of the columns."""
        return _export(request, request.query_as(schemas.ExportAudit), "csv")


class AuditAnchors(View):
    """What the installation has signed of the log."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(query=PageQuery, answer=Page[AuditAnchor], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """Read a page of anchors, the newest first; one is written every five minutes in which the log grew."""
        return self.paginate(partial(api.list_anchors, actor=request.actor))


class AuditKeys(View):
    """With what it has signed."""

    permission_classes = [HasPermission.to(Permission.SEE_AUDIT)]

    @operation(answer=Page[AuditKey])
    def get(self, request: ActorRequest) -> Response:
        """List the public keys (Ed25519) under the anchors, the current one first. Note them where nobody can change them."""
        return Response(api.list_audit_keys(actor=request.actor))


class Features(View):
    """Switches of the installation."""

    @operation(answer=Page[Feature])
    def get(self, request: ActorRequest) -> Response:
        """List the feature flags with the values that hold for the caller."""
        return Response(api.list_features(actor=request.actor))


class FeatureDetail(View):
    """One of them."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS, read=Scope.FILES_READ)]

    @operation(answer=Feature, problems=(FeatureUnknown,))
    def get(self, request: ActorRequest, key: str) -> Response:
        """Tell which value of a feature flag holds for the caller."""
        return Response(api.get_feature(actor=request.actor, key=key))

    @operation(
        body=schemas.ChooseFeature,
        answer=Feature,
        problems=(FeatureUnknown, FeatureNotYours, FeatureForced, FeatureValueUnfit),
    )
    def put(self, request: ActorRequest, key: str) -> Response:
        """Choose a feature for the vault, where the operators leave the choice (`is_yours`); `null` leaves it to them again.

        The change holds everywhere within a second.
        """
        body = request.body_as(schemas.ChooseFeature)
        return Response(api.choose_feature(actor=request.actor, key=key, value=body.value))


def _export(
    request: ActorRequest,
    query: schemas.ExportAudit,
    form: Literal["json_lines", "csv"],
    *,
    with_anchors: bool = False,
) -> Response:
    require_position(api.CONSUMER, query)
    found = api.export_audit(
        actor=request.actor,
        after=query.after,
        limit=query.limit,
        wanted=query.wanted,
        form=form,
        with_anchors=with_anchors,
    )
    headers = {
        "BitVault-As-Of-Seq": str(found.as_of_seq),
        "BitVault-Next-After": str(found.last_number),
        "BitVault-Has-More": "true" if found.has_more else "false",
    }
    if found.has_more:
        kept = {name: value for name, value in request.query_params.items() if name not in {"after", "limit"}}
        following = urlencode({"after": found.last_number, "limit": query.limit, **kept})
        headers["Link"] = f'<{request.path}?{following}>; rel="next"'
    return Response(found.lines, headers=headers)
