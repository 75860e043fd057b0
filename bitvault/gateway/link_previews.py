"""Previews through a link: Links says who is let in, Previews draw, and nothing comes without the visitor's mark.

The mark is the visitor's address, or the mail of a member who is signed in, and the moment. It is drawn for each request and kept nowhere,
and the picture without it has no URL that such a link tells ([0062]).
"""

from typing import Annotated
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.response import Response

from apps.files.errors import NoPreview, NotAFile
from apps.links import api as links
from apps.links import errors
from apps.links.dtos import UNLOCK_HEADER
from apps.previews import api as previews
from apps.previews.dtos import PAGE_LIMIT, Making
from bitvault.kernel import clock
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.kernel.request import Visitor
from bitvault.web import throttle
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.pages import VisitorPage
from bitvault.web.renderers import WebpRenderer
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Query
from bitvault.web.viewer import find_viewer
from bitvault.web.views import VisitorView
from bitvault.web.visitors import find_visitor

PAGES_LIMIT, _MINUTE = 120, 60
"""Pages that one address may look at through one link in a minute: each is drawn for it alone. Who reads sees a page for some seconds."""

ASK_AGAIN_SECONDS = 1

PAGE_COUNT_HEADER = "BitVault-Page-Count"

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    # Long enough for a page that is scrolled back to; a link that was ended shows nothing for longer.
    "Cache-Control": "private, max-age=60",
    "X-Robots-Tag": "noindex, nofollow, noimageindex",
}


class WhichPage(Query, frozen=True):
    """Which page of a document."""

    page: Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)] = 1


class PublicLinkPreview(VisitorView):
    """The picture of a file, for whoever holds a link that shows it."""

    renderer_classes = [WebpRenderer]

    @operation(
        query=WhichPage,
        pending=Making,
        problems=(*errors.CLOSED, errors.LinkLocked, NotAFile, NoPreview),
        headers={
            PAGE_COUNT_HEADER: {"schema": {"type": "integer"}, "description": "Pages of the document, once known."}
        },
    )
    def get(self, request: ActorRequest, token: str, node_id: UUID) -> Response:
        """Read it as WebP, with the visitor's address all over it. 202 while it is being made: ask again."""
        page = request.query_as(WhichPage).page
        unlock = request.headers.get(UNLOCK_HEADER)
        status, body, headers = show(token, unlock, find_visitor(request), node_id, page, who="")
        return Response(body, status=status, headers=headers)


class LinkPreview(VisitorPage):
    """The same for a browser at a link's page, which brings the proof of a password in a cookie."""

    limit_class = RouteClass.PUBLIC

    def get(self, request: HttpRequest, token: str, node_id: UUID) -> HttpResponse:
        """Send the picture, or the code of what is wrong: it stands in a page that says so in words."""
        text = request.GET.get("page", "1")
        page = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(PAGE_LIMIT)) else 0
        if not 1 <= page <= PAGE_LIMIT:
            raise NotFound
        unlock = request.COOKIES.get(settings.BITVAULT_LINK_UNLOCK_COOKIE["key"])
        viewer = find_viewer(request)
        who = viewer.email if viewer is not None and viewer.email_proved else ""
        try:
            status, body, headers = show(token, unlock, find_visitor(request), node_id, page, who=who)
        except BitVaultError as error:
            facts = {"code": error.code, "reason": error.facts.get("reason", "")}
            answer = HttpResponse(msgspec.json.encode(facts), content_type="application/json", status=error.status)
            answer["Cache-Control"] = "no-store"
            retry = error.facts.get("retry_after_seconds")
            if retry is not None:
                answer["Retry-After"] = str(retry)
            return answer
        return HttpResponse(body, content_type="image/webp", status=status, headers=headers)


def show(
    token: str, unlock: str | None, visitor: Visitor, node_id: UUID, page: int, *, who: str
) -> tuple[int, bytes, dict[str, str]]:
    """Draw a page of a file for a visitor; returns status, picture and headers.

    :param who: the mail by which the visitor is known; empty: by their address.
    :raises NoPreview, NotAFile, NotFound: there is nothing to see.
    :raises TooManyRequests: too many pages from this address in a minute.
    """
    admission = links.admit(token=token, unlock=unlock, visitor=visitor)
    throttle.take(
        "link-preview",
        [admission.link_id, visitor.address],
        limit=PAGES_LIMIT,
        per_seconds=_MINUTE,
        guards_secret=False,
    )
    marked = previews.draw_marked(actor=admission.actor, node_id=node_id, page=page, text=write_mark(visitor, who))
    counted = {} if marked.page_count is None else {PAGE_COUNT_HEADER: str(marked.page_count)}
    if marked.body is None:
        return 202, b"", {**_HEADERS, **counted, "Cache-Control": "no-store", "Retry-After": str(ASK_AGAIN_SECONDS)}
    if page == 1:
        links.note_viewed(link_id=admission.link_id, visitor=visitor, node_id=node_id)
    return 200, marked.body, {**_HEADERS, **counted}


def write_mark(visitor: Visitor, who: str) -> str:
    """Write what stands all over a picture: who looks at it, and when."""
    return f"{who or visitor.address} · {clock.now():%Y-%m-%d %H:%M} UTC"
