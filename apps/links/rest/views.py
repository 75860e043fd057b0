"""Views of links, for who shares a node: parse → door → render."""

from dataclasses import fields
from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.identity.errors import PolicyForbids
from apps.links import api, errors
from apps.links.dtos import Link, LinkAccess, LinkItem, NewLink, QrCode, ReceivedFile
from apps.links.rest import schemas
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.address import tenant_origin
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_UNFIT = (errors.LinkUnfit, errors.MoreThanOwn)


class NodeLinks(View):
    """The links of a node."""

    @operation(answer=Page[Link])
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List them, oldest first, all in one page; for who may share the node."""
        return Response(api.list_links(actor=request.actor, node_id=node_id))

    @operation(
        body=schemas.CreateLink,
        answer=NewLink,
        status=201,
        problems=(*_UNFIT, PolicyForbids, errors.SlugTaken, errors.TooManyLinks, errors.LinkLimitReached),
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Make a link. Its `url` stands in this answer and nowhere else."""
        wish = request.body_as(schemas.CreateLink).to_wish()
        link, end = api.create_link(actor=request.actor, node_id=node_id, wish=wish)
        url = f"{tenant_origin(request)}/s/{end}"
        facts = {field.name: getattr(link, field.name) for field in fields(link)}
        return Response(NewLink(**facts, url=url), status=201)


class Links(View):
    """The links that the caller has made."""

    @operation(query=PageQuery, answer=Page[LinkItem], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List them with their nodes, newest first; what was ended, and links of nodes that the caller cannot see, are left out."""
        return self.paginate(partial(api.list_my_links, actor=request.actor))


class LinkDetail(View):
    """One link."""

    @operation(body=schemas.ChangeLink, answer=Link, problems=(*_UNFIT, PolicyForbids, errors.LinkLimitReached))
    def patch(self, request: ActorRequest, link_id: UUID) -> Response:
        """Change it; its address stays. `ended: false` takes an end back."""
        changes = request.body_as(schemas.ChangeLink).to_changes()
        return Response(api.change_link(actor=request.actor, link_id=link_id, changes=changes))

    @operation(status=204)
    def delete(self, request: ActorRequest, link_id: UUID) -> Response:
        """End it at once, for everybody."""
        api.end_link(actor=request.actor, link_id=link_id)
        return Response(status=204)


class LinkAccesses(View):
    """What visitors did through a link."""

    @operation(query=PageQuery, answer=Page[LinkAccess], problems=(BadCursor,))
    def get(self, request: ActorRequest, link_id: UUID) -> Response:
        """List it, newest first; for who may share the link's node."""
        return self.paginate(partial(api.list_accesses, actor=request.actor, link_id=link_id))


class LinkQr(View):
    """The address of a link, for phones to read."""

    publishes = False

    @operation(body=schemas.DrawAddress, answer=QrCode, problems=(errors.AddressUnknown,), idempotent=True)
    def post(self, request: ActorRequest, link_id: UUID) -> Response:
        """Draw it as SVG. The address is kept nowhere, so it is sent along; what is not the link's is not drawn."""
        address = request.body_as(schemas.DrawAddress).address
        return Response(api.draw_qr(actor=request.actor, link_id=link_id, address=address))


class LinkReceived(View):
    """Files that have come through a link."""

    @operation(query=PageQuery, answer=Page[ReceivedFile], problems=(BadCursor,))
    def get(self, request: ActorRequest, link_id: UUID) -> Response:
        """List them with who sent them, newest first; for who may share the link's folder."""
        return self.paginate(partial(api.list_received, actor=request.actor, link_id=link_id))
