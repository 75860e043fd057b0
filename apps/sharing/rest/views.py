"""Views of shares: parse → door → render."""

from functools import partial
from uuid import UUID

from msgspec import UNSET
from rest_framework.response import Response

from apps.identity.errors import DomainNotAllowed, EmailNotProved, GuestLimitReached, InvalidEmail, PolicyForbids
from apps.sharing import api, errors
from apps.sharing.dtos import Candidates, NodeAccess, Share, SharedItem
from apps.sharing.rest import schemas
from bitvault.kernel.errors import Invalid
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_LIST = (
    PolicyForbids,
    DomainNotAllowed,
    EmailNotProved,
    GuestLimitReached,
    InvalidEmail,
    errors.PrincipalUnfit,
    errors.UnknownPrincipal,
    errors.MoreThanOwn,
    errors.ExpiryPast,
    errors.TooManyShares,
)
_GRANT = (*_LIST, errors.MessageUnfit)


class NodeShares(View):
    """With whom a node is shared."""

    @operation(answer=Page[Share])
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List the shares that stand on the node itself, all of them in one page; what it inherits stands on the folders above."""
        return Response(api.list_shares(actor=request.actor, node_id=node_id))

    @operation(body=schemas.PutShare, answer=Share, status=201, problems=_GRANT, repeatable=True)
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Share the node, and all below it, with a person, a group or everyone; one that they have already gets this role and end. An
        e-mail address that is no member's is invited as a guest, and has the share once they have come.
        """
        grant = request.body_as(schemas.PutShare).to_grant()
        return self.repeatable(request, lambda: api.put_share(actor=request.actor, node_id=node_id, grant=grant))

    @operation(body=schemas.ReplaceShares, answer=Page[Share], problems=_LIST)
    def put(self, request: ActorRequest, node_id: UUID) -> Response:
        """Let the node have just these shares: those that are not named end."""
        body = request.body_as(schemas.ReplaceShares)
        grants = [share.to_grant() for share in body.shares]
        return Response(api.replace_shares(actor=request.actor, node_id=node_id, grants=grants))


class NodeAccessDetail(View):
    """Who reaches a node."""

    @operation(query=schemas.ReadAccess, answer=NodeAccess, problems=(errors.PrincipalUnfit, errors.UnknownPrincipal))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Tell who reaches the node, with which capabilities, and by what: whose tree it is, the shares of the node itself, then those of
        the folders that it lies in (`through`). What stands above what the caller sees has no name, and is told to those who may share.
        With `principal`, of one person or group alone: what they may do (`asked`), by what, or why they cannot; of others than oneself to
        those who may share.
        """
        principal = request.query_as(schemas.ReadAccess).to_principal()
        return Response(api.get_access(actor=request.actor, node_id=node_id, principal=principal))


class ShareCandidates(View):
    """With whom a node can be shared."""

    @operation(query=schemas.SearchCandidates, answer=Candidates)
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Find people and groups of the vault by a part of a name or an address; for those who may share the node."""
        query = request.query_as(schemas.SearchCandidates)
        found = api.search_candidates(actor=request.actor, node_id=node_id, text=query.q, limit=query.limit)
        return Response(found)


class ShareDetail(View):
    """One share."""

    @operation(
        body=schemas.ChangeShare,
        answer=Share,
        problems=(DomainNotAllowed, PolicyForbids, errors.MoreThanOwn, errors.ExpiryPast, Invalid),
    )
    def patch(self, request: ActorRequest, share_id: UUID) -> Response:
        """Give it another role, another end, or both."""
        body = request.body_as(schemas.ChangeShare)
        ends = body.expires_at is not UNSET
        share = api.change_share(
            actor=request.actor,
            share_id=share_id,
            role=body.role,
            expires_at=None if body.expires_at is UNSET else body.expires_at,
            ends=ends,
        )
        return Response(share)

    @operation(status=204, problems=(errors.MoreThanOwn,))
    def delete(self, request: ActorRequest, share_id: UUID) -> Response:
        """End it; whoever deletes a share that they have received leaves it."""
        api.revoke_share(actor=request.actor, share_id=share_id)
        return Response(status=204)


class LeftShare(View):
    """A share that the caller has left, whomever else it is for."""

    @operation(status=204)
    def put(self, request: ActorRequest, share_id: UUID) -> Response:
        """Leave it: it gives the caller nothing any more, and their devices drop what came by it. For all others it stays."""
        api.leave_share(actor=request.actor, share_id=share_id)
        return Response(status=204)

    @operation(status=204)
    def delete(self, request: ActorRequest, share_id: UUID) -> Response:
        """Take it back."""
        api.take_share_back(actor=request.actor, share_id=share_id)
        return Response(status=204)


class LeftShares(View):
    """What the caller has left."""

    @operation(answer=Page[SharedItem])
    def get(self, request: ActorRequest) -> Response:
        """List what they could take back, latest first, 200 at most."""
        return Response(api.list_left_shares(actor=request.actor))


class SharedWithMe(View):
    """What others have shared with the caller."""

    @operation(query=schemas.ListReceived, answer=Page[SharedItem], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List it, newest first, or the caller's favourites before all else."""
        wanted = request.query_as(schemas.ListReceived).to_wanted()
        return self.paginate(partial(api.list_shared_with_me, actor=request.actor, wanted=wanted))


class SharedByMe(View):
    """What the caller has shared with others."""

    @operation(query=PageQuery, answer=Page[SharedItem], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List it, newest first."""
        return self.paginate(partial(api.list_shared_by_me, actor=request.actor))
