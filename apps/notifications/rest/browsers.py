"""REST views of the browsers that somebody is told in by push (RFC 8030, 8291, 8292)."""

from uuid import UUID

from rest_framework.response import Response

from apps.notifications import api, dtos, errors
from apps.notifications.rest import schemas
from bitvault.kernel.actor import Scope
from bitvault.web.operations import operation
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Browsers(View):
    """The browsers that the caller is told in by push."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]
    publishes = False

    @operation(answer=dtos.Browsers)
    def get(self, request: ActorRequest) -> Response:
        """List them, oldest first. `public_key` is the `applicationServerKey` that browsers subscribe with."""
        return Response(api.list_browsers(actor=request.actor))

    @operation(
        body=schemas.PushSubscription,
        answer=dtos.Browser,
        status=201,
        problems=(errors.PushAddressUnfit, errors.TooManyBrowsers, errors.CredentialNarrowed),
        idempotent=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Have the caller told in a browser. Nothing is sent there once the session (or token) that asks has ended."""
        target = _target(request.body_as(schemas.PushSubscription))
        return Response(api.add_browser(actor=request.actor, target=target, agent=_agent(request)), status=201)


class BrowserDetail(View):
    """One of them."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]
    publishes = False

    @operation(
        body=schemas.PushSubscription,
        answer=dtos.Browser,
        problems=(errors.PushAddressUnfit, errors.CredentialNarrowed),
    )
    def put(self, request: ActorRequest, browser_id: UUID) -> Response:
        """Go on telling the caller there, by the session that asks: they have signed in again, or its address has changed."""
        target = _target(request.body_as(schemas.PushSubscription))
        return Response(
            api.renew_browser(actor=request.actor, browser_id=browser_id, target=target, agent=_agent(request))
        )

    @operation(status=204)
    def delete(self, request: ActorRequest, browser_id: UUID) -> Response:
        """Tell the caller nothing there any more."""
        api.remove_browser(actor=request.actor, browser_id=browser_id)
        return Response(status=204)


def _target(body: schemas.PushSubscription) -> dtos.PushTarget:
    return dtos.PushTarget(body.endpoint, p256dh=body.keys.p256dh, auth=body.keys.auth)


def _agent(request: ActorRequest) -> str:
    return str(request.headers.get("User-Agent", ""))
