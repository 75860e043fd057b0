"""``ETag`` and its conditions (RFC 9110 §8.8.3, §13.1): a node's tag is its revision in quotes."""

import re

from django.http import HttpRequest

from apps.files.dtos import ExpectedRevision, Node, TeamFolder
from bitvault.kernel.errors import Malformed

_TAG = re.compile(r'"(\d{1,18})"')
_LIST = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')

NEVER = 0
"""No node has this revision: what a tag that is not ours stands for."""


class BadCondition(Malformed):
    """The header is not a list of entity tags."""

    code = "request.bad_condition"
    title = 'Send the ETag as you have read it, for instance "3"'


def etag_of(node: Node | TeamFolder) -> str:
    """Make the tag of a node."""
    return f'"{node.revision}"'


def read_if_match(request: HttpRequest) -> ExpectedRevision:
    """Read which revision the caller wants to change: ``any`` for ``*``, ``None`` when it did not say.

    :raises BadCondition: the header is not one entity tag. Weak tags and tags of others never match.
    """
    text = request.headers.get("If-Match")
    if text is None:
        return None
    if text.strip() == "*":
        return "any"
    if not _LIST.fullmatch(text):
        raise BadCondition
    match = _TAG.fullmatch(text.strip())
    return int(match[1]) if match else NEVER


def is_fresh(request: HttpRequest, node: Node | TeamFolder) -> bool:
    """Tell whether ``If-None-Match`` says that the caller has this state of the node already."""
    text = request.headers.get("If-None-Match")
    if text is None:
        return False
    return text.strip() == "*" or etag_of(node) in [tag.strip().removeprefix("W/") for tag in text.split(",")]
