"""Billing's REST views."""

from functools import partial

from rest_framework.response import Response

from apps.billing import api, dtos
from apps.billing.api import history
from apps.billing.errors import LimitAbovePlan, RangeTooLong, StatementUnknown
from apps.billing.rest import schemas
from bitvault.events.api import answer_with_head
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web import seats
from bitvault.web.derived import DerivedQuery, require_position
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.renderers import CsvRenderer, PdfRenderer
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class OwnLimit(View):
    """The limit that the vault sets itself."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(body=schemas.SetOwnLimit, answer=dtos.Quota, problems=(LimitAbovePlan,))
    def put(self, request: ActorRequest) -> Response:
        """Let the vault use less than its plan gives, or all of it (`null`). Below what is used, nothing new fits; nothing is deleted."""
        body = request.body_as(schemas.SetOwnLimit)
        quota = api.set_own_limit(actor=request.actor, limit_bytes=body.limit_bytes)
        answer_with_head()
        return Response(quota)


class Plans(View):
    """What there is to choose from."""

    @operation(answer=Page[dtos.Plan])
    def get(self, request: ActorRequest) -> Response:
        """List the plans of the installation, the tenant's first; operators give a vault another one."""
        return Response(api.list_plans(actor=request.actor))


class PlanChanges(View):
    """Who changed what the plan gives."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(query=PageQuery, answer=Page[dtos.PlanChange], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List what was changed of the vault's plan and limits, and of the plan itself while the vault had it, the latest first."""
        return self.paginate(partial(history.list_plan_changes, actor=request.actor))


class SeatsOfTenant(View):
    """What the plan limits besides room."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(answer=seats.Seats)
    def get(self, request: ActorRequest) -> Response:
        """Count members, guests and links, and tell how many there may be (null: as many as come). Who is invited has a seat until the
        invitation ends. Above a limit nobody is put out and no link ends: what is new is refused.
        """
        return Response(seats.counter()(request.actor))


class Statements(View):
    """What each month came to."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(query=PageQuery, answer=Page[dtos.Statement], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List the statements of the vault, the newest first. One is made some hours after each month's end and never changes."""
        return self.paginate(partial(api.list_statements, actor=request.actor))


class StatementDetail(View):
    """One of them."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(answer=dtos.StatementDetail, problems=(StatementUnknown,))
    def get(self, request: ActorRequest, month: str) -> Response:
        """Read the statement of a month (`2026-10`) with its lines; what was amiss in earlier ones is a line here (`is_correction`)."""
        return Response(api.get_statement(actor=request.actor, month=month))


class StatementCsv(View):
    """One for spreadsheets."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]
    renderer_classes = [CsvRenderer]

    @operation(problems=(StatementUnknown,))
    def get(self, request: ActorRequest, month: str) -> Response:
        """Read the lines of a statement as CSV; nothing in it runs as a formula."""
        return _send(api.write_statement(actor=request.actor, month=month, form="csv"), f"statement-{month}.csv")


class StatementPdf(View):
    """One for people."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]
    renderer_classes = [PdfRenderer]

    @operation(problems=(StatementUnknown,))
    def get(self, request: ActorRequest, month: str) -> Response:
        """Read a statement as PDF, in the language that the request prefers."""
        return _send(api.write_statement(actor=request.actor, month=month, form="pdf"), f"statement-{month}.pdf")


def _send(content: bytes, name: str) -> Response:
    return Response(content, headers={"Content-Disposition": f'attachment; filename="{name}"'})


class UsageNow(View):
    """What the tenant stores."""

    @operation(query=DerivedQuery, answer=dtos.Usage)
    def get(self, request: ActorRequest) -> Response:
        """Read the meter."""
        require_position(api.CONSUMER, request.query_as(DerivedQuery))
        return Response(api.get_usage(actor=request.actor))


class UsageByDay(View):
    """What the tenant stored and did, by day."""

    @operation(query=schemas.HistoryQuery, answer=dtos.UsageHistory, problems=(RangeTooLong,))
    def get(self, request: ActorRequest) -> Response:
        """Read days from ``from`` up to, but not with, ``to``."""
        query = request.query_as(schemas.HistoryQuery)
        require_position(api.CONSUMER, query)
        history = api.list_usage_history(actor=request.actor, metric=query.metric, begin=query.begin, end=query.end)
        return Response(history)
