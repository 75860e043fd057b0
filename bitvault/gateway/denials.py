"""Denied accesses are written into the tenant's audit log: no event tells of them, since they change nothing."""

from collections.abc import Callable
from uuid import UUID

import msgspec
import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from apps.admin_platform import api as administration
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.web.problems import CONTENT_TYPE

DENIED = 403

logger = structlog.get_logger(__name__)


class Denials:
    """Write down each 403 that somebody known gets from the REST surface."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        actor = getattr(request, "actor", None)
        if response.status_code == DENIED and isinstance(actor, Actor):
            self._record(request, response, actor)
        return response

    def _record(self, request: HttpRequest, response: HttpResponse, actor: Actor) -> None:
        match = request.resolver_match
        node_id = match.kwargs.get("node_id") if match else None
        code = msgspec.json.decode(response.content)["code"] if response["Content-Type"] == CONTENT_TYPE else ""
        try:
            with tenancy.entered(actor.tenant):
                administration.record_denial(
                    event_type="access.denied",
                    actor_id=actor.user_id,
                    node_id=node_id if isinstance(node_id, UUID) else None,
                    payload={"method": request.method, "route": match.route if match else "", "code": code},
                )
        except DatabaseError:
            # The caller was denied all the same; that it could not be written down must not look like another answer.
            logger.exception("denial_not_recorded", code=code)
