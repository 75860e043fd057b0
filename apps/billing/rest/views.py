"""Billing's REST views."""

from django.http import HttpResponse

from apps.billing import api, dtos
from bitvault.kernel.pages import Page
from bitvault.web.views import ActorRequest, View, operation


class Quotas(View):
    """How much room there is."""

    @operation(answer=Page[dtos.Quota])
    def get(self, request: ActorRequest) -> HttpResponse:
        """List the room of every scope that the caller's files count in."""
        return self.render(api.list_quotas(actor=request.actor))
