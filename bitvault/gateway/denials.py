"""Denied accesses are written into the tenant's audit log: no event tells of them, since they change nothing."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from apps.admin_platform import api as administration
from apps.identity import api as identity
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.denials import DeniedItem, collecting
from bitvault.kernel.errors import Denied
from bitvault.web.pages import ToSignIn
from bitvault.web.problems import CONTENT_TYPE

EVENT_TYPE = "access.denied"

logger = structlog.get_logger(__name__)


class Denials:
    """Write down what somebody known was denied.

    That is each 403; each 404 for a node that is there and that they may not know of; each item of a batch that was refused in this way;
    and each 401, or page that sends to sign in, of a credential that was good once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with collecting() as items:
            response = self._get_response(request)
        actor = getattr(request, "actor", None)
        if getattr(request, "impersonation", None) is not None:
            return response  # each act of an operator is written down anyway (`impersonation`)
        if items and isinstance(actor, Actor):
            self._record_items(request, actor, items)
        denied: Denied = getattr(request, "denied", None) or Denied()
        match response.status_code:
            case _ if isinstance(response, ToSignIn):
                self._record_credential(request, response, self._find_ended(request) or Denied())
            case 401 if denied.tenant_id is not None:
                self._record_credential(request, response, denied)
            case 403 if isinstance(actor, Actor):
                self._record(request, response, actor.tenant, actor.user_id, node_id=_named_node(request))
            case 404 if isinstance(actor, Actor) and denied.node_id is not None:
                self._record(request, response, actor.tenant, actor.user_id, node_id=denied.node_id)
        return response

    def _record_items(self, request: HttpRequest, actor: Actor, items: Sequence[DeniedItem]) -> None:
        route = _route(request)
        facts = [(item.node_id, {"method": request.method, "route": route, "code": item.code}) for item in items]
        try:
            with tenancy.entered(actor.tenant):
                administration.record_denials(event_type=EVENT_TYPE, actor_id=actor.user_id, denials=facts)
        except DatabaseError:
            logger.exception("denial_not_recorded", code=items[0].code)

    @staticmethod
    def _find_ended(request: HttpRequest) -> Denied | None:
        """Tell whose the session was that a browser brings to a page, and why nobody is let in with it."""
        tenant = tenancy.find_current()
        return None if tenant is None else identity.find_refused_session(session=request.session, tenant=tenant)

    def _record_credential(self, request: HttpRequest, response: HttpResponse, denied: Denied) -> None:
        tenant = identity.find_tenant(tenant_id=denied.tenant_id) if denied.tenant_id else None
        if tenant is not None:
            facts = {"reason": denied.reason, "credential_id": denied.credential_id}
            self._record(request, response, tenant, denied.user_id, node_id=_named_node(request), **facts)

    def _record(
        self,
        request: HttpRequest,
        response: HttpResponse,
        tenant: tenancy.Tenant,
        user_id: UUID | None,
        *,
        node_id: UUID | None,
        **facts: Any,
    ) -> None:
        code = msgspec.json.decode(response.content)["code"] if response["Content-Type"] == CONTENT_TYPE else ""
        try:
            with tenancy.entered(tenant):
                administration.record_denial(
                    event_type=EVENT_TYPE,
                    actor_id=user_id,
                    node_id=node_id,
                    payload={"method": request.method, "route": _route(request), "code": code, **facts},
                )
        except DatabaseError:
            # The caller was denied all the same; that it could not be written down must not look like another answer.
            logger.exception("denial_not_recorded", code=code)


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.route if match else ""


def _named_node(request: HttpRequest) -> UUID | None:
    named = request.resolver_match.kwargs.get("node_id") if request.resolver_match else None
    return named if isinstance(named, UUID) else None
