"""Denied accesses are written into the tenant's audit log: no event tells of them, since they change nothing."""

from collections.abc import Callable
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
from bitvault.kernel.errors import Denied
from bitvault.web.problems import CONTENT_TYPE

REFUSALS = frozenset({401, 403, 404})

logger = structlog.get_logger(__name__)


class Denials:
    """Write down what somebody known was denied.

    That is each 403; each 404 for a node that is there and that they may not know of; and each 401 of a credential that was good once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code not in REFUSALS:
            return response
        actor = getattr(request, "actor", None)
        denied: Denied = getattr(request, "denied", None) or Denied()
        match response.status_code:
            case 401 if denied.tenant_id is not None:
                self._record_credential(request, response, denied)
            case 403 if isinstance(actor, Actor):
                self._record(request, response, actor.tenant, actor.user_id, node_id=_named_node(request))
            case 404 if isinstance(actor, Actor) and denied.node_id is not None:
                self._record(request, response, actor.tenant, actor.user_id, node_id=denied.node_id)
        return response

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
        match = request.resolver_match
        code = msgspec.json.decode(response.content)["code"] if response["Content-Type"] == CONTENT_TYPE else ""
        try:
            with tenancy.entered(tenant):
                administration.record_denial(
                    event_type="access.denied",
                    actor_id=user_id,
                    node_id=node_id,
                    payload={"method": request.method, "route": match.route if match else "", "code": code, **facts},
                )
        except DatabaseError:
            # The caller was denied all the same; that it could not be written down must not look like another answer.
            logger.exception("denial_not_recorded", code=code)


def _named_node(request: HttpRequest) -> UUID | None:
    named = request.resolver_match.kwargs.get("node_id") if request.resolver_match else None
    return named if isinstance(named, UUID) else None
