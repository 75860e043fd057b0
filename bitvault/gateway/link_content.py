"""Downloads through a link: Links says who is let in, Files which bytes, Links counts, Storage signs a URL, the bytes come from the store.

It is counted before a URL leaves, in a transaction that looks at the link once more: what was refused or ended gets no URL, and what the
store would not give (it is being scanned, it is gone) is not counted.
"""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from rest_framework.response import Response

from apps.files import api as files
from apps.files.errors import NotAFile
from apps.links import api as links
from apps.links import errors
from apps.links.dtos import UNLOCK_HEADER, Admission
from apps.storage import api as storage
from apps.storage.errors import WITHHELD, BlobDamaged, BlobGone, ContentWithheld
from bitvault.kernel.errors import Forbidden, Gone, NotFound
from bitvault.kernel.request import Visitor
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.pages import VisitorPage
from bitvault.web.requests import ActorRequest
from bitvault.web.views import VisitorView
from bitvault.web.visitors import find_visitor, remember

URL_LIFETIME = timedelta(seconds=60)
"""How long a visitor's URL is good: as long as it takes to begin, so that an ended link gives nothing for longer."""

_PROBLEMS = (
    errors.LinkOver,
    errors.LinkExpired,
    errors.LinkUsedUp,
    errors.LinkNotStarted,
    errors.LinkLocked,
    NotAFile,
    BlobGone,
    BlobDamaged,
    *WITHHELD,
)

_HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


class PublicLinkContent(VisitorView):
    """The bytes of a file, for whoever holds a link."""

    @operation(status=302, problems=_PROBLEMS)
    def get(self, request: ActorRequest, token: str, node_id: UUID) -> Response:
        """Redirect to a URL of the store that is good for a minute. Each visitor (known by a cookie) and version counts once."""
        return self._redirect(request, token, node_id, "GET")

    @operation(status=302, problems=_PROBLEMS)
    def head(self, request: ActorRequest, token: str, node_id: UUID) -> Response:
        """Redirect to a URL that answers HEAD: length and type without the bytes. It is not counted."""
        return self._redirect(request, token, node_id, "HEAD")

    def _redirect(self, request: ActorRequest, token: str, node_id: UUID, method: Literal["GET", "HEAD"]) -> Response:
        visitor = find_visitor(request)
        admission = links.admit(token=token, unlock=request.headers.get(UNLOCK_HEADER), visitor=visitor)
        url = sign(admission, visitor, node_id, method)
        response = Response(status=302, headers={"Location": url, **_HEADERS})
        if admission.counts_visitors:
            remember(response, visitor)
        return response


class LinkDownload(VisitorPage):
    """The same for a browser at a link's page, which brings the proof of a password in a cookie and is told refusals as pages."""

    limit_class = RouteClass.PUBLIC

    def get(self, request: HttpRequest, token: str, node_id: UUID) -> HttpResponse:
        """Redirect to the store."""
        return self._redirect(request, token, node_id, "GET")

    def head(self, request: HttpRequest, token: str, node_id: UUID) -> HttpResponse:
        """Redirect to a URL that answers HEAD; it is not counted."""
        return self._redirect(request, token, node_id, "HEAD")

    def _redirect(
        self, request: HttpRequest, token: str, node_id: UUID, method: Literal["GET", "HEAD"]
    ) -> HttpResponse:
        visitor = find_visitor(request)
        unlock = request.COOKIES.get(settings.BITVAULT_LINK_UNLOCK_COOKIE["key"])
        try:
            admission = links.admit(token=token, unlock=unlock, visitor=visitor)
            response: HttpResponse = HttpResponseRedirect(sign(admission, visitor, node_id, method))
        except errors.LinkLocked:
            return HttpResponseRedirect(f"/s/{token}", headers=_HEADERS)
        except (Gone, NotFound, Forbidden, ContentWithheld) as error:
            response = render(request, "links/refused.html", {"error": error}, status=error.status)
        else:
            if admission.counts_visitors:
                remember(response, visitor)
        for name, value in _HEADERS.items():
            response[name] = value
        return response


def sign(admission: Admission, visitor: Visitor, node_id: UUID, method: Literal["GET", "HEAD"]) -> str:
    """Sign a URL, and give it away once the download, if it is one, has been counted."""
    content = files.get_content(actor=admission.actor, node_id=node_id)
    download = storage.sign_download(
        blob_id=content.blob_id,
        filename=content.name,
        media_type=content.media_type,
        method=method,
        lifetime=URL_LIFETIME,
    )
    if method == "GET":
        links.count_download(link_id=admission.link_id, visitor=visitor, node_id=node_id, content=content)
    else:
        links.require_download(link_id=admission.link_id, visitor=visitor, content=content)
    return download.url
