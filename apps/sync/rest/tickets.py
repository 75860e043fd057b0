"""Tickets for sockets: parse → door → render."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rest_framework.response import Response

from apps.sync import api
from apps.sync.errors import DeviceEnded
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import TooManyRequests
from bitvault.web.address import SOCKET_PATH, socket_origin
from bitvault.web.operations import operation
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


class AskForTicket(Body, frozen=True):
    """A ticket; with ``device_id`` its socket ends with that device."""

    device_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketTicket:
    """Opens one socket, once, at ``url`` until ``expires_at``."""

    ticket: str
    url: str
    expires_at: datetime


class Tickets(View):
    """One-use tickets: ``wss://…/ws/v1/sync?ticket=…`` opens a socket that says how far changes can be read."""

    permission_classes = [HasScope.of(Scope.FILES_READ)]

    @operation(body=AskForTicket, answer=SocketTicket, status=201, problems=(DeviceEnded, TooManyRequests))
    def post(self, request: ActorRequest) -> Response:
        """Make a ticket; it is good for 30 seconds and one socket at its whole address."""
        body = request.body_as(AskForTicket)
        made = api.issue_ticket(actor=request.actor, device_id=body.device_id)
        url = f"{socket_origin(request)}{SOCKET_PATH}?ticket={made.ticket}"
        return Response(SocketTicket(ticket=made.ticket, url=url, expires_at=made.expires_at), status=201)
