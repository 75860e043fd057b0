"""``ETag`` and its conditions (RFC 9110 §8.8.3, §13.1): the tag of a thing is its revision in quotes."""

import re

from django.http import HttpRequest

from bitvault.kernel.errors import Malformed
from bitvault.kernel.revisions import ExpectedRevision

_TAG = re.compile(r'[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|\Z)')
"""One element of a list, which may be empty (RFC 9110 §5.6.1.2); a comma inside the quotes belongs to the tag."""

_REVISION = re.compile(r"[1-9][0-9]{0,17}")

NEVER = 0
"""Nothing has this revision: what a tag that is not ours stands for."""


class BadCondition(Malformed):
    """The header is not a list of entity tags."""

    code = "request.bad_condition"
    title = 'Send the ETag as you have read it, for instance "3"'


def etag_of(revision: int) -> str:
    """Make the tag of a revision."""
    return f'"{revision}"'


def read_if_match(request: HttpRequest) -> ExpectedRevision:
    """Read which revisions the caller is ready to change: ``any`` for ``*``, ``None`` when it did not say.

    :raises BadCondition: the header is no list of entity tags. Weak tags and tags of others never match.
    """
    text = request.headers.get("If-Match")
    if text is None:
        return None
    if text.strip() == "*":
        return "any"
    strong = [tag for is_weak, tag in _read_list(text) if not is_weak and _REVISION.fullmatch(tag)]
    return tuple(int(tag) for tag in strong) or (NEVER,)


def is_fresh(request: HttpRequest, revision: int) -> bool:
    """Tell whether ``If-None-Match`` says that the caller has this revision already; weak tags count too.

    :raises BadCondition: the header is no list of entity tags.
    """
    text = request.headers.get("If-None-Match")
    if text is None:
        return False
    return text.strip() == "*" or str(revision) in [tag for _, tag in _read_list(text)]


def _read_list(text: str) -> list[tuple[bool, str]]:
    """Read a list of entity tags, each with whether it is weak."""
    tags, end = [], 0
    while end < len(text):
        found = _TAG.match(text, end)
        if found is None:
            raise BadCondition
        end = found.end()
        if found[2] is not None:
            tags.append((found[1] is not None, found[2]))
    if not tags:
        raise BadCondition
    return tags
