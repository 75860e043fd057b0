"""Visits of support over REST: who looked at the tenant as one of its members, and putting them out."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.identity.api import impersonation as api
from apps.identity.dtos.tenants import SupportVisit
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class SupportVisits(View):
    """Who of support has looked at the vault."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(query=PageQuery, answer=Page[SupportVisit], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List visits of support within 400 days, the latest first; the audit log keeps what was looked at, for good."""
        return self.paginate(partial(api.list_support_visits, actor=request.actor))


class SupportVisitDetail(View):
    """One visit."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(status=204, problems=(NotFound,))
    def delete(self, request: ActorRequest, visit_id: UUID) -> Response:
        """End it, at once."""
        api.end_support_visit(actor=request.actor, impersonation_id=visit_id)
        return Response(status=204)
