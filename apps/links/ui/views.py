"""The page of a link, and the form for its password."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.links import api, dtos
from apps.links.errors import WrongPassword
from apps.links.ui import presentation
from bitvault.kernel.errors import BitVaultError, Forbidden, Gone, NotFound, TooManyRequests
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import VisitorPage
from bitvault.web.visitors import find_visitor, remember

_QUIET = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
"""Nothing that the page loads or leads to is told its address, and no search engine keeps it."""

_QUIET_FORM = {**_QUIET, "Referrer-Policy": "strict-origin"}
"""A browser sends the form of a page without any referrer as from nowhere, and it would be refused; the origin alone tells no address."""


PAGE = 200
"""Lines of a folder that one page shows."""


class LinkPage(VisitorPage):
    """What a link leads to: a file, or a folder with all below it."""

    limit_class = RouteClass.PUBLIC

    def get(self, request: HttpRequest, token: str, node_id: UUID | None = None) -> HttpResponse:
        """Show it, or ask for the password."""
        visitor = find_visitor(request)
        try:
            page = api.open_page(
                token=token,
                unlock=request.COOKIES.get(settings.BITVAULT_LINK_UNLOCK_COOKIE["key"]),
                visitor=visitor,
                node_id=node_id,
                limit=PAGE,
                cursor=request.GET.get("cursor") or None,
                is_noted=request.method == "GET",
            )
        except (Gone, NotFound, Forbidden) as error:
            return _refuse(request, error)
        if page.link.locked:
            return _ask(request, page.link, None)
        if page.link.request is not None:
            return _ask_for_files(request, token, page.link, page.link.request)
        response = _show(request, token, page)
        if page.counts_visitors:
            remember(response, visitor)
        return response

    def post(self, request: HttpRequest, token: str, node_id: UUID | None = None) -> HttpResponse:
        """Compare the password, and show the page to whoever knows it."""
        visitor = find_visitor(request)
        try:
            unlocked = api.unlock_link(token=token, password=request.POST.get("password", ""), visitor=visitor)
        except (WrongPassword, TooManyRequests) as error:
            page = api.open_page(token=token, unlock=None, visitor=visitor, is_noted=False)
            return _ask(request, page.link, error)
        except (Gone, NotFound, Forbidden) as error:
            return _refuse(request, error)
        response = HttpResponseRedirect(request.path, headers=_QUIET)
        response.set_cookie(
            value=unlocked.unlock_token,
            path=f"/s/{token}",
            expires=unlocked.expires_at,
            **settings.BITVAULT_LINK_UNLOCK_COOKIE,
        )
        return response


def _show(request: HttpRequest, token: str, page: dtos.LinkPage) -> HttpResponse:
    base, kind = f"/s/{token}", page.link.kind
    rows = presentation.to_rows(page.children.items, base, kind) if page.children else []
    context = {
        "link": page.link,
        "token": token,
        # The script of a link that lets its visitors edit asks below another path, so it is told the proof that the cookie holds.
        "unlock": request.COOKIES.get(settings.BITVAULT_LINK_UNLOCK_COOKIE["key"], "")
        if page.link.has_password
        else "",
        "path": presentation.to_rows(page.path, base, kind),
        "node": presentation.to_row(page.path[-1], base, kind),
        "is_top": len(page.path) == 1,
        "rows": rows,
        "total_count": page.children.total_count if page.children else 0,
        "next_cursor": page.children.next_cursor if page.children else None,
        "admitted": page.admitted,
    }
    return _render(request, "links/link.html", context, headers=_QUIET)


def _ask_for_files(
    request: HttpRequest, token: str, link: dtos.PublicLink, request_for: dtos.PublicRequest
) -> HttpResponse:
    """Show the page on which files are sent. Its script asks below another path, so it is told the proof that the cookie holds."""
    unlock = request.COOKIES.get(settings.BITVAULT_LINK_UNLOCK_COOKIE["key"], "") if link.has_password else ""
    context = {
        "link": link,
        "request_for": request_for,
        "token": token,
        "unlock": unlock,
        "limits": presentation.tell_limits(request_for),
        "accept": presentation.accept_of(request_for),
    }
    return _render(request, "links/request.html", context, headers=_QUIET)


def _ask(request: HttpRequest, link: dtos.PublicLink, error: BitVaultError | None) -> HttpResponse:
    status = HTTPStatus.OK if error is None else error.status
    response = _render(request, "links/locked.html", {"link": link, "error": error}, status=status, headers=_QUIET_FORM)
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.facts["retry_after_seconds"])
    return response


def _refuse(request: HttpRequest, error: BitVaultError) -> HttpResponse:
    return _render(request, "links/refused.html", {"error": error}, status=error.status, headers=_QUIET)


def _render(
    request: HttpRequest,
    template: str,
    context: dict[str, object],
    *,
    status: int = HTTPStatus.OK,
    headers: dict[str, str],
) -> HttpResponse:
    response = render(request, template, context, status=status)
    for name, value in headers.items():
        response[name] = value
    return response
