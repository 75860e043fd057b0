"""The OpenAPI document as a route, and the page on which people read and try it."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from bitvault.settings.env import ROOT
from bitvault.web.limits.routes import limited
from bitvault.web.parsers import JSON
from bitvault.web.views import View

COMMITTED = ROOT / "docs" / "openapi.json"


def build_document() -> bytes:
    """Make the OpenAPI 3.1 document of the routes below ``/api/v1/``; the same bytes for the same code.

    It takes half a second of CPU, in which no other thread of the process runs: no request may wait for it.
    """
    document: dict[str, Any] = SchemaGenerator(urlconf="bitvault.gateway.urls_bare").get_schema(
        request=None, public=True
    )
    return bytes(OpenApiJsonRenderer().render(document, renderer_context={"indent": 2})) + b"\n"


@lru_cache(maxsize=1)
def read_document() -> bytes:
    """Read the document as it was committed; ``make check`` fails when that is not what the code says."""
    return COMMITTED.read_bytes()


class SchemaDocument(View):
    """The OpenAPI 3.1 document of this surface."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Give the document."""
        return HttpResponse(read_document(), content_type=JSON)


@limited()
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the document to people, by the Swagger UI of drf-spectacular's sidecar."""
    return render(request, "gateway/docs.html")
