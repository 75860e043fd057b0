"""Which files come into a folder, in words and for the ``accept`` of a file field, wherever files are chosen."""

from collections.abc import Sequence

from django import template
from django.utils.translation import gettext, ngettext

from bitvault.kernel.file_rules import NO_EXTENSION
from bitvault.web.sizes import size_in_words

register = template.Library()

NAMED = 12
"""Types that a sentence names; the others are a number."""


@register.simple_tag
def file_rules_in_words(
    allowed: Sequence[str] | None, refused: Sequence[str] = (), largest_bytes: int | None = None
) -> str:
    """Say in one line what rules let in together; empty where they let in everything."""
    said = []
    if allowed is not None:
        named = _list_types(allowed)
        said.append(gettext("only %(types)s") % {"types": named} if named else gettext("no files"))
    if refused:
        said.append(gettext("no %(types)s") % {"types": _list_types(refused)})
    if largest_bytes is not None:
        said.append(gettext("up to %(size)s each") % {"size": size_in_words(largest_bytes)})
    line = " · ".join(said)
    return line[:1].upper() + line[1:]


@register.simple_tag
def accept_of(allowed: Sequence[str] | None) -> str:
    """Give the ``accept`` of a file field; empty where it cannot be said: all types, or names without an extension."""
    return "" if allowed is None or NO_EXTENSION in allowed else ",".join(allowed)


def _list_types(extensions: Sequence[str]) -> str:
    named = [gettext("files without an ending") if one == NO_EXTENSION else one for one in extensions[:NAMED]]
    rest = len(extensions) - NAMED
    if rest > 0:
        named.append(ngettext("%(count)s more type", "%(count)s more types", rest) % {"count": rest})
    return ", ".join(named)
