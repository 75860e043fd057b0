"""The OpenAPI document as a route, and its readable page."""

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language
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

_METHODS = ("get", "post", "put", "patch", "delete")


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


@lru_cache(maxsize=8)
def render_reference(language: str) -> SafeString:
    """Show the document's operations as HTML; the same for everybody who reads that language."""
    return render_to_string("gateway/docs_reference.html", {"chapters": list_chapters(json.loads(read_document()))})


def list_chapters(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Order a document's operations for reading: a chapter for each resource, an entry for each operation."""
    chapters: dict[str, list[dict[str, Any]]] = {}
    for path, methods in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in methods:
                entry = _entry(path, method, methods[method], document["components"]["schemas"])
                chapters.setdefault(methods[method]["tags"][0], []).append(entry)
    return [{"name": name, "operations": operations} for name, operations in chapters.items()]


def _entry(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "description": operation.get("description", "").partition("\n:raises")[0],
        "parameters": [
            {**parameter, "shape": _shape(parameter["schema"])} for parameter in operation.get("parameters", [])
        ],
        "fields": _fields(body, schemas),
        "answers": [
            {"status": status, "description": answer["description"], "fields": _answer_fields(answer, schemas)}
            for status, answer in operation["responses"].items()
        ],
    }


def _answer_fields(answer: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    return _fields(answer.get("content", {}).get(JSON, {}).get("schema", {}), schemas)


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """List the fields of an object's schema with what each holds."""
    named = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    required = set(named.get("required", ()))
    return [
        {"name": name, "shape": _shape(part), "required": name in required}
        for name, part in named.get("properties", {}).items()
    ]


def _shape(schema: dict[str, Any]) -> str:
    """Say in a few words what a value is."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_shape(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


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
    """Show the document to people."""
    return render(request, "gateway/docs.html", {"reference": render_reference(get_language() or "")})
