"""Markdown of descriptions as HTML: CommonMark without HTML of its own, pictures and tables.

No HTML passes through, links lead to the web, to an address of mail or into this vault, and nothing is fetched by who reads.
Tables are left out because 5,000 characters of them become 600 kB.
"""

import re
from collections.abc import MutableSequence, Sequence
from functools import cache

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from apps.annotations.ui.addresses import cut_addresses

_LEADS = re.compile(r"(?:https?://|mailto:|/(?![/\\]))", re.IGNORECASE)
"""How the address of a link begins: the web, mail, or a path of this host."""

_DEEPEST = 6


def to_html(text: str, *, below: int) -> SafeString:
    """Render a text; its topmost headings stand one level below ``below``. The parser escapes all that it has not made itself."""
    html: str = _parser().render(text, {"below": below})
    return SafeString(html)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable("image")
    parser.validateLink = lambda url: _LEADS.match(url) is not None  # type: ignore[method-assign] # the library's own way
    parser.core.ruler.push("addresses", _finish)
    return parser


def _finish(state: StateCore) -> None:
    """Lower headings, make links of addresses, and let links leave the page."""
    below = int(state.env.get("below", 0))
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(_DEEPEST, int(token.tag[1:]) + below)}"
        if token.children:
            token.children = _link(token.children)


def _link(tokens: Sequence[Token]) -> list[Token]:
    found: MutableSequence[Token] = []
    is_inside = False
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            is_inside = token.type == "link_open"
        if token.type == "link_open":
            token.attrs = {**token.attrs, **_LEAVING}
        if token.type != "text" or is_inside:
            found.append(token)
            continue
        for part, is_address in cut_addresses(token.content):
            word = Token("text", "", 0, content=part)
            if is_address:
                start = Token("link_open", "a", 1, attrs={"href": part, **_LEAVING})
                found += [start, word, Token("link_close", "a", -1)]
            else:
                found.append(word)
    return list(found)


_LEAVING: dict[str, str | int | float] = {
    "target": "_blank",
    "rel": "noopener noreferrer nofollow",
    "hx-boost": "false",
}
