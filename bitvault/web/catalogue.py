"""Texts of scripts in a language: Django's own catalogue, at an address that changes with what it says, so that browsers keep it."""

import hashlib
from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.views.i18n import JavaScriptCatalog

from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.routes import limited

LIFETIME_SECONDS = 365 * 24 * 3600


@cache
def render(language: str) -> tuple[bytes, str]:
    """Write the script of a language, and the digest that stands in its address."""
    request = HttpRequest()
    request.method = "GET"
    with translation.override(language):
        content = JavaScriptCatalog().get(request).content
    return content, hashlib.sha256(content).hexdigest()[:12]


def address(language: str) -> str:
    """Tell where pages load the texts of their scripts from."""
    return f"/texts/{language}/{render(language)[1]}.js"


@limited(RouteClass.READ)
def show(request: HttpRequest, language: str, digest: str) -> HttpResponse:
    """Give the texts of a language; an old digest is answered with what is true now, and not kept."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    content, current = render(language)
    response = HttpResponse(content, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={LIFETIME_SECONDS}, immutable" if digest == current else "no-cache"
    return response
