"""Billing's REST views."""

from rest_framework.response import Response

from apps.billing import api, dtos
from apps.billing.errors import LimitAbovePlan, RangeTooLong
from apps.billing.rest import schemas
from bitvault.events.api import answer_with_head
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web.derived import DerivedQuery, require_position
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
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
