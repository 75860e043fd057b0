"""Tickets for sockets: parse → door → render."""

from uuid import UUID

from django.http import HttpResponse

from apps.sync import api, dtos
from apps.sync.errors import DeviceEnded
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import TooManyRequests
from bitvault.web.views import ActorRequest, Body, View, operation


class AskForTicket(Body, frozen=True):
    """A ticket; with ``device_id`` its socket ends with that device."""

    device_id: UUID | None = None


class Tickets(View):
    """One-use tickets: ``wss://…/ws/v1/sync?ticket=…`` opens a socket that says how far changes can be read."""

    write_scope = Scope.FILES_READ

    @operation(body=AskForTicket, answer=dtos.Ticket, status=201, problems=(DeviceEnded, TooManyRequests))
    def post(self, request: ActorRequest) -> HttpResponse:
        """Make a ticket; it is good for 30 seconds and one socket."""
        body = self.parse(AskForTicket, request)
        return self.render(api.issue_ticket(actor=request.actor, device_id=body.device_id), status=201)
