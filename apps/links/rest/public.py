"""Routes of whoever holds a link: parse → door → render. They answer at the tenant's host, or for a credential of the tenant."""

from functools import partial
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from apps.files.errors import NotAFolder
from apps.links import api, errors
from apps.links.dtos import PublicChildren, PublicLink, Unlocked
from apps.links.rest import schemas
from bitvault.kernel.pages import BadCursor
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View
from bitvault.web.visitors import find_visitor

UNLOCK_HEADER = "BitVault-Link-Unlock"
"""Brings the proof that the link's password was given."""

_CLOSED = (
    errors.LinkOver,
    errors.LinkExpired,
    errors.LinkUsedUp,
    errors.LinkTargetGone,
    errors.LinkNotStarted,
)


class PublicView(View):
    """A route that asks for no credential, and does not pass over one that comes."""

    limit_class = RouteClass.PUBLIC
    authentication_classes = []
    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[Any]:
        """Let a credential choose the tenant where the host does not."""
        # The generator of the OpenAPI document has no request yet.
        brings = "Authorization" in getattr(self.request, "headers", {})
        return [kind() for kind in View.authentication_classes] if brings else []


class PublicLinkDetail(PublicView):
    """A link, for whoever has the end of its address."""

    @operation(answer=PublicLink, problems=_CLOSED)
    def get(self, request: ActorRequest, token: str) -> Response:
        """Tell what it leads to; while it is `locked`, only that the password has to be given."""
        page = api.open_page(
            token=token,
            unlock=request.headers.get(UNLOCK_HEADER),
            visitor=find_visitor(request),
            limit=1,
            is_noted=request.method == "GET",
        )
        return Response(page.link)


class PublicLinkUnlock(PublicView):
    """The password of a link."""

    @operation(body=schemas.GivePassword, answer=Unlocked, problems=(*_CLOSED, errors.WrongPassword))
    def post(self, request: ActorRequest, token: str) -> Response:
        """Give the password; `unlock_token` is sent back as `BitVault-Link-Unlock`. Wrong ones are counted by link and address."""
        body = request.body_as(schemas.GivePassword)
        return Response(api.unlock_link(token=token, password=body.password, visitor=find_visitor(request)))


class PublicLinkChildren(PublicView):
    """What lies in a link's folder, or in one below it."""

    @operation(
        query=schemas.ListPublicChildren,
        answer=PublicChildren,
        problems=(*_CLOSED, errors.LinkLocked, NotAFolder, BadCursor),
    )
    def get(self, request: ActorRequest, token: str) -> Response:
        """List it, folders first, by name."""
        query = request.query_as(schemas.ListPublicChildren)
        return self.paginate(
            partial(
                api.list_public_children,
                token=token,
                unlock=request.headers.get(UNLOCK_HEADER),
                visitor=find_visitor(request),
                node_id=query.node_id,
            )
        )
