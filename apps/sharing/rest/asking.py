"""Requests for access over REST."""

from uuid import UUID

from rest_framework.response import Response

from apps.identity.errors import PolicyForbids
from apps.sharing import api, errors
from apps.sharing.dtos import AccessRequest
from apps.sharing.rest import schemas
from bitvault.kernel.pages import Page
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class NodeAccessRequests(View):
    """Asking for a node."""

    @operation(body=schemas.RequestAccess, status=204, problems=(errors.AccessHeld, errors.MessageUnfit))
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Ask whoever keeps the node for access to it. The answer is the same whether there is such a node or not."""
        body = request.body_as(schemas.RequestAccess)
        api.request_access(actor=request.actor, node_id=node_id, role=body.role, message=body.message)
        return Response(status=204)


class AccessRequests(View):
    """What others ask for."""

    @operation(answer=Page[AccessRequest])
    def get(self, request: ActorRequest) -> Response:
        """List the open requests for nodes that the caller may share, newest first, 200 at most."""
        return Response(api.list_access_requests(actor=request.actor))


class AccessRequestAnswer(View):
    """An answer to one of them."""

    @operation(
        body=schemas.AnswerRequest,
        answer=AccessRequest,
        problems=(PolicyForbids, errors.MoreThanOwn, errors.ExpiryPast, errors.TooManyShares),
    )
    def post(self, request: ActorRequest, request_id: UUID) -> Response:
        """Give what is asked for, or another role, or decline; `share_id` is the share that was made. Who gets it is told by mail."""
        body = request.body_as(schemas.AnswerRequest)
        answered = api.answer_access_request(
            actor=request.actor,
            request_id=request_id,
            granted=body.granted,
            role=body.role,
            expires_at=body.expires_at,
        )
        return Response(answered)
