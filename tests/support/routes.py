"""Every route of an urlconf, with a path that leads to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern, URLResolver
from django.utils.regex_helper import normalize

SAMPLE_ID = "01900000-0000-7000-8000-0000000000ff"
"""An id that nothing has."""

_PARAMETER = re.compile(r"<(?:\w+:)?(?P<name>\w+)>")
SAMPLES = {"UUIDConverter": SAMPLE_ID, "NodeRef": SAMPLE_ID, "IntConverter": "1"}


@dataclass(frozen=True)
class Route:
    """One route: its pattern, a path for it, and what answers there."""

    pattern: str
    path: str
    callback: Any

    @property
    def view(self) -> Any:
        """The class of the view, or its function."""
        return getattr(self.callback, "cls", getattr(self.callback, "view_class", self.callback))

    def __str__(self) -> str:
        return self.pattern or "/"


def list_routes(urlconf: Any) -> list[Route]:
    return list(_walk(get_resolver(urlconf), "", "/"))


def _walk(resolver: URLResolver, pattern: str, path: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        here, sample = f"{pattern}{entry.pattern}", f"{path}{_fill(entry.pattern)}"
        if isinstance(entry, URLPattern):
            yield Route(here, sample, entry.callback)
        else:
            yield from _walk(entry, here, sample)


def _fill(pattern: Any) -> str:
    if isinstance(pattern, RegexPattern):
        text, names = normalize(pattern.regex.pattern)[0]
        return text % dict.fromkeys(names, "x")

    def sample(match: re.Match[str]) -> str:
        return SAMPLES.get(type(pattern.converters[match["name"]]).__name__, "x")

    return _PARAMETER.sub(sample, str(pattern))
