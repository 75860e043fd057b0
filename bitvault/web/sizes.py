"""Sizes in words, as ``bytes`` of ``static/js/format.js`` writes them, and spans of time: filters of every template."""

from django.template import Library
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

register = Library()

_UNITS = tuple(1024**power for power in range(1, 6))


@register.filter(is_safe=True)
def size_in_words(count: int) -> str:
    """Write a number of bytes with its unit, one digit behind the point: ``4.9 KB``.

    Django's filter writes 1024.0 GB for what is a little less than a terabyte; that is ``1.0 TB`` here.
    """
    for unit in _UNITS:
        if unit * (1 - 0.05 / 1024) <= count < unit:
            return filesizeformat(unit)
    return filesizeformat(count)


@register.filter
def seconds_in_words(seconds: float) -> str:
    """Write a span of time by its largest unit, rounded down: ``12 min``; below a minute ``35 s``, below a second ``0 s``."""
    if seconds < 60:  # noqa: PLR2004 - seconds of a minute
        return _("%(count)d s") % {"count": seconds}
    if seconds < 3600:  # noqa: PLR2004 - of an hour
        return _("%(count)d min") % {"count": seconds // 60}
    if seconds < 86_400:  # noqa: PLR2004 - of a day
        return _("%(count)d h") % {"count": seconds // 3600}
    return _("%(count)d d") % {"count": seconds // 86_400}
