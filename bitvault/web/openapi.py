"""The OpenAPI 3.1 document, made from what views say of themselves (``operations``) and from the types that they read and write."""

import inspect
from typing import Any

import msgspec
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from bitvault.events.api import BeyondHead
from bitvault.jobs.dtos import Job
from bitvault.kernel import errors
from bitvault.kernel.request import DEVICE_HEADER
from bitvault.web.derived import DerivedQuery, Lagging
from bitvault.web.idempotency import KEY_LIMIT, KeyNotTaken, KeyReused, KeyUnfit
from bitvault.web.operations import Operation, find_operation
from bitvault.web.parsers import JSON
from bitvault.web.problems import CONTENT_TYPE
from bitvault.web.requests import RepeatedParameter
from bitvault.web.views import KEY_HEADER, View

_TEMPLATE = "#/components/schemas/{name}"

PROBLEM = {
    "type": "object",
    "description": "A problem answer (RFC 9457). `code` is stable; further members are facts of the case.",
    "required": ["type", "code", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "code": {"type": "string", "pattern": r"^[a-z_]+\.[a-z_]+$"},
        "title": {"type": "string"},
        # 202 where an answer is still being worked out.
        "status": {"type": "integer", "minimum": 202, "maximum": 599},
        "detail": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
    },
}

# The fields of draft-ietf-httpapi-ratelimit-headers-10, as `bitvault.web.limits` sends them; absent where nothing is limited.
DESCRIBED_HEADERS = {
    "RateLimit-Policy": {
        "description": 'The limits that count for this request: `"read";q=5000;w=5` lets 5000 through at once and 1000 a second then.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'How one stands with the nearest of them: `"read";r=4999;t=1`: 4999 left, all of them again in a second.',
        "schema": {"type": "string"},
    },
    "BitVault-Seq": {
        "description": "The number of the change in the tenant's stream, for `min_seq`. Where it was there already, the stream's "
        "last number: its own is that or a smaller one. Absent where nothing was published.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
HEADERS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("RateLimit-Policy", "RateLimit")}
RETRY = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}


def _headers_of(status: int) -> dict[str, Any]:
    """Name the headers that a refusal brings."""
    if status == errors.TooManyRequests.status:
        return {"headers": HEADERS | RETRY}
    return {"headers": RETRY} if status == errors.Unavailable.status else {}


class Schema(AutoSchema):
    """Describes one method of one view."""

    view: View  # type: ignore[override] # it describes views of the toolkit alone

    def get_operation_id(self) -> str:
        """Name the operation after its view and method: ``NodeDetail.patch`` → ``node_detail_patch``."""
        name = type(self.view).__name__
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        return f"{words}_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        """Group by the first word of the path."""
        return [self.path.removeprefix("/api/v1/").partition("/")[0].partition("{")[0] or "api"]

    def get_description(self) -> str:  # type: ignore[override] # drf-spectacular asks without path and method
        """Take the method's docstring, or the view's."""
        return inspect.getdoc(self._handler) or inspect.getdoc(type(self.view)) or ""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Name the credentials that the route takes."""
        return [] if self.view.is_public() else [{"token": []}, {"session": []}]

    def get_request_serializer(self) -> None:
        """Name no serializer: ``operations.operation`` tells the types, and there is nothing to guess."""

    def get_response_serializers(self) -> None:
        """Name no serializer, as for requests."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def get_override_parameters(self) -> list[Any]:
        """Leave parameters to ``_get_parameters``."""
        return []

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        query = self._operation.query
        if query is not None:
            schema = self._resolve(query)
            definition = self.registry[(schema["$ref"].rpartition("/")[2], ResolvedComponent.SCHEMA)].schema
            required = set(definition.get("required", ()))
            parameters += [
                {"name": name, "in": "query", "required": name in required, "schema": part}
                for name, part in definition["properties"].items()
            ]
        if self._operation.takes_key:
            key = {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT}
            parameters.append({"name": KEY_HEADER, "in": "header", "required": False, "schema": key})
        if not self.view.is_public():
            device = {"type": "string", "format": "uuid"}
            parameters.append({"name": DEVICE_HEADER, "in": "header", "required": False, "schema": device})
        return parameters

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        body = self._operation.body
        if body is None:
            return None
        needed = any(part.required for part in msgspec.structs.fields(body))
        return {"required": needed, "content": {JSON: {"schema": self._resolve(body)}}}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        operation = self._operation
        good: dict[str, Any] = {"description": "Done", "headers": {**HEADERS, **operation.headers}}
        if self.view.publishes and self.method not in ("GET", "HEAD"):
            good["headers"]["BitVault-Seq"] = {"$ref": "#/components/headers/BitVault-Seq"}
        if operation.answer is not None:
            good["content"] = {JSON: {"schema": self._resolve(operation.answer)}}
        if operation.status == 302:  # noqa: PLR2004 - the HTTP status itself
            good["headers"]["Location"] = {"schema": {"type": "string", "format": "uri"}}
        again = {} if operation.repeated_status is None else {str(operation.repeated_status): good}
        answers = {str(operation.status): good, **again, **self._problem_answers(operation)}
        if operation.pending is not None:
            accepted = answers.setdefault("202", {"description": "Not done yet: ask again", "content": {}})
            accepted["content"][JSON] = {"schema": self._resolve(operation.pending)}
            accepted["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
            if operation.pending is Job:
                accepted["headers"]["Location"] = {"schema": {"type": "string", "format": "uri-reference"}}
        return answers

    def _problem_answers(self, operation: Operation) -> dict[str, Any]:
        kinds: list[type[errors.BitVaultError]] = [
            errors.Malformed,
            errors.NotFound,
            errors.TooManyRequests,
            errors.Unavailable,
        ]
        if not self.view.is_public():
            kinds += [errors.Unauthenticated, errors.Forbidden]
        if operation.body is not None:
            kinds += [errors.UnsupportedMedia, errors.TooLarge]
        if operation.body is not None or operation.query is not None or "{" in self.path or self.method == "POST":
            kinds.append(errors.Invalid)
        if operation.takes_key:
            kinds += [KeyUnfit, KeyReused]
        if self.method == "POST" and not operation.takes_key:
            kinds.append(KeyNotTaken)
        kinds.append(RepeatedParameter)
        if operation.query is not None and issubclass(operation.query, DerivedQuery):
            kinds += [Lagging, BeyondHead]
        by_status: dict[int, list[str]] = {}
        for kind in [*kinds, *operation.problems]:
            by_status.setdefault(kind.status, []).append(kind.code)
        return {
            str(status): {
                "description": ", ".join(sorted(set(codes))),
                **_headers_of(status),
                "content": {CONTENT_TYPE: {"schema": {"$ref": _TEMPLATE.format(name="Problem")}}},
            }
            for status, codes in sorted(by_status.items())
        }

    def _resolve(self, target: Any) -> dict[str, Any]:
        """Register the schemas of a type and of all it is made of; returns the reference to it."""
        (schema,), components = msgspec.json.schema_components([target], ref_template=_TEMPLATE)
        for name, definition in components.items():
            self.registry.register_on_missing(
                ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=definition)
            )
        return schema

    @property
    def _handler(self) -> Any:
        return getattr(self.view, self.method.lower())

    @property
    def _operation(self) -> Operation:
        return find_operation(self._handler)


def add_shared_parts(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:  # noqa: FBT001 - drf-spectacular's signature
    """Add what all operations share: the problem's schema and the two ways to prove who asks."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["headers"] = DESCRIBED_HEADERS
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "bv_<id>_<secret>"},
        "session": {"type": "apiKey", "in": "cookie", "name": "session"},
    }
    return result
