"""The OpenAPI document as a route, and its readable page."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.request import Request

from bitvault.web.views import JSON, View


@lru_cache(maxsize=1)
def build_document() -> bytes:
    """Make the OpenAPI 3.1 document of the routes below ``/api/v1/``; the same bytes for the same code."""
    document: dict[str, Any] = SchemaGenerator(urlconf="bitvault.gateway.urls_bare").get_schema(
        request=None, public=True
    )
    return bytes(OpenApiJsonRenderer().render(document, renderer_context={"indent": 2})) + b"\n"


class SchemaDocument(View):
    """The OpenAPI 3.1 document of this surface."""

    public = True
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Give the document."""
        return HttpResponse(build_document(), content_type=JSON)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the document to people."""
    return render(request, "gateway/docs.html")
