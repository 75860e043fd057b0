"""Billing's REST views."""

from django.http import HttpResponse

from apps.billing import api, dtos
from apps.billing.errors import RangeTooLong
from apps.billing.rest import schemas
from bitvault.kernel.pages import Page
from bitvault.web.derived import DerivedQuery, require_position
from bitvault.web.views import ActorRequest, View, operation


class Quotas(View):
    """How much room there is."""

    @operation(answer=Page[dtos.Quota])
    def get(self, request: ActorRequest) -> HttpResponse:
        """List the room of every scope that the caller's files count in."""
        return self.render(api.list_quotas(actor=request.actor))


class UsageNow(View):
    """What the tenant stores."""

    @operation(query=DerivedQuery, answer=dtos.Usage)
    def get(self, request: ActorRequest) -> HttpResponse:
        """Read the meter."""
        require_position(api.CONSUMER, self.parse_query(DerivedQuery, request))
        return self.render(api.get_usage(actor=request.actor))


class UsageByDay(View):
    """What the tenant stored and did, by day."""

    @operation(query=schemas.HistoryQuery, answer=dtos.UsageHistory, problems=(RangeTooLong,))
    def get(self, request: ActorRequest) -> HttpResponse:
        """Read days from ``from`` up to, but not with, ``to``."""
        query = self.parse_query(schemas.HistoryQuery, request)
        require_position(api.CONSUMER, query)
        history = api.list_usage_history(actor=request.actor, metric=query.metric, begin=query.begin, end=query.end)
        return self.render(history)
