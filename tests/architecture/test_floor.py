"""``bitvault/web`` is the floor that modules stand on, and knows none of them: not by import, address, asset, template or REST route."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.sources import ROOT

WEB = ROOT / "bitvault" / "web"
MODULES = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "__init__.py").exists())
KINDS = (".html", ".css", ".js", ".py")


def sources() -> list[Path]:
    return [path for path in WEB.rglob("*") if path.suffix in KINDS and "vendor" not in path.parts]


def routes(patterns, prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        whole = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, whole)
        elif isinstance(pattern, URLPattern):
            yield whole


def segments() -> set[str]:
    """First segments of every page's address and of every REST route."""
    found = set()
    for conf in ("bitvault.gateway.urls", "bitvault.gateway.urls_bare"):
        for route in routes(get_resolver(conf).url_patterns):
            path = route.removeprefix("api/v1/")
            found.add(path.partition("/")[0])
    return {segment for segment in found if re.fullmatch(r"[a-z][a-z-]+", segment)} - {"api", "static", "docs", "texts"}


def find_traces(text: str) -> list[str]:
    """Find what speaks of a module: an import, a template or asset of its folder, an address of its pages or of its REST routes."""
    modules, first = "|".join(MODULES), "|".join(sorted(segments()))
    patterns = (
        rf"\bapps\.(?:{modules})\b",
        rf"[\"'`](?:\.\./)*(?:{modules})/",
        rf"[\"'`(]/(?:{first})(?=[/?\"'`)$])",
    )
    return [match[0] for pattern in patterns for match in re.finditer(pattern, text)]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(WEB)))
def test_the_floor_knows_no_module(path):
    assert find_traces(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        '<a href="/files/">',
        '<a href="/sign-in/?next=x">',
        '{% include "files/tray.html" %}',
        '{% static "sync/conflicts.css" %}',
        'import { typeOf } from "../files/types.js";',
        'await get("/nodes/x")',
        "call(`/uploads/${id}`)",
        "from apps.identity import api",
        'HOME = "/files/"',
    ],
)
def test_a_trace_of_a_module_is_found(line):
    assert find_traces(line)


@pytest.mark.parametrize(
    "line", ['<a href="{{ home_url }}">', '{% static "css/shell.css" %}', 'import "./dom.js"', "call(path)"]
)
def test_what_names_no_module_is_left_alone(line):
    assert find_traces(line) == []
