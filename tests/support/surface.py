"""The REST surface as it is: every route with its parameters and operations, read from the URL configuration."""

import re
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints
from uuid import UUID, uuid4

import msgspec
from django.urls import URLPattern, get_resolver

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"<\w+:(\w+)>")


@dataclass(frozen=True)
class Route:
    """One path of the surface, written as ``/nodes/{node_id}``."""

    path: str
    view: Any

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def operations(self) -> dict[str, Any]:
        """What each method takes and gives, where the view says so."""
        methods = {method: getattr(self.view, method.lower(), None) for method in METHODS}
        return {name: method.__operation__ for name, method in methods.items() if hasattr(method, "__operation__")}

    def at(self, **values: Any) -> str:
        return self.path.format(**values)


@cache
def routes() -> tuple[Route, ...]:
    """List every REST route that is an endpoint for a caller with a credential."""
    found: list[Route] = []

    def walk(patterns: Any, prefix: str) -> None:
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                found.append(Route(_PARAMETER.sub(r"{\1}", f"/{here}"), pattern.callback.cls))
            else:
                walk(pattern.url_patterns, here)

    walk(get_resolver("bitvault.gateway.urls_api").url_patterns, "")
    return tuple(found)


def operations() -> list[tuple[Route, str, Any]]:
    """List every route with each of its methods and what that takes and gives."""
    return [(route, method, operation) for route in routes() for method, operation in route.operations.items()]


def fields_of(struct: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    return () if struct is None else msgspec.structs.fields(struct)


def holds(annotation: Any, kind: type) -> bool:
    """Tell whether a value of this type can be, or hold, one of ``kind``, in whatever it is made of."""
    parts = list(get_args(annotation))
    if isinstance(annotation, type) and (is_dataclass(annotation) or issubclass(annotation, msgspec.Struct)):
        parts += get_type_hints(annotation).values()
    return annotation is kind or any(holds(part, kind) for part in parts)


def is_id(annotation: Any) -> bool:
    return holds(annotation, UUID)


def plain(answer: Any) -> tuple[Any, ...]:
    """Give all of an answer that a client can tell two answers apart by, but for the id of the request."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    headers.pop("x-request-id", None)
    content = answer.content
    if headers.get("content-type", "").startswith("application/problem+json") and content:
        body = msgspec.json.decode(content)
        body.pop("request_id")
        headers.pop("content-length", None)
        return answer.status_code, headers, body
    return answer.status_code, headers, content


def count_guesses_apart(settings: Any) -> None:
    """Count this test's guesses of passwords where nobody else's are: limits are kept under names that the secret key makes."""
    settings.SECRET_KEY = uuid4().hex
