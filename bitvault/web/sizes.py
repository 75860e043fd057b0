"""Sizes in words, as ``bytes`` of ``static/js/format.js`` writes them: the filter ``size_in_words`` of every template."""

from django.template import Library
from django.template.defaultfilters import filesizeformat

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
