"""Filters by metadata: ``status:open``, ``amount:>100``, ``due:2026-12``, ``due:<2026-12-31``, ``reviewer:anna``, ``-status:*``."""

import calendar
import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from django.utils.translation import gettext_noop

from apps.annotations.dtos import MetadataField, MetadataTemplate
from apps.identity import api as identity
from apps.search import words
from apps.search.dtos import FieldTest, PropertyFilter
from apps.search.errors import FilterInvalid
from bitvault.kernel.actor import Actor

PEOPLE_LIMIT = 20
"""People whom one name may mean."""

ANY = "*"

_SIGNED = re.compile(r"(?P<sign>[<>]=?)?(?P<value>.+)")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def key_of(name: str) -> str:
    """Give what is typed before the colon: letters and digits of a field's name, whatever their case."""
    return "".join(letter for letter in words.fold(name) if letter.isalnum())


def list_fields(templates: Sequence[MetadataTemplate]) -> dict[str, list[MetadataField]]:
    """List the fields of templates by what is typed for them."""
    found: dict[str, list[MetadataField]] = {}
    for template in templates:
        for field in template.fields:
            found.setdefault(key_of(field.name), []).append(field)
    return found


_TAKEN = {
    "number": gettext_noop("“%(key)s” is a number: write 100, >100, <=100 or 100..200."),
    "date": gettext_noop("“%(key)s” is a day: write 2026-12-31, 2026-12, <2026-12-31 or 2026-01-01..2026-06-30."),
    "person": gettext_noop("Nobody here is called “%(value)s”."),
}
"""What a field of each kind takes."""

_NOT_TAKEN = gettext_noop("“%(value)s” is nothing that “%(key)s” can be.")


def write_filter(name: str, value: str) -> str:
    """Write the filter that finds what has a value in a field."""
    return f'{key_of(name)}:"{value}"' if any(letter.isspace() for letter in value) else f"{key_of(name)}:{value}"


def read_filter(
    actor: Actor, fields: Sequence[MetadataField], *, key: str, value: str, is_negated: bool
) -> PropertyFilter:
    """Read a filter: what its value means in each field of the name.

    :raises FilterInvalid: it means something in none of them.
    """
    tests, errors = [], []
    for field in fields:
        try:
            tests.append(_read_test(actor, field, value))
        except ValueError as error:
            errors.append(error)
    if not tests:
        told = fields[0].kind if fields else "text"
        raise FilterInvalid(_TAKEN.get(told, _NOT_TAKEN), filter=f"metadata_{told}", key=key, value=value)
    return PropertyFilter(tuple(tests), is_negated=is_negated)


def _read_test(actor: Actor, field: MetadataField, value: str) -> FieldTest:
    """Read a value as a field's.

    :raises ValueError: it is none.
    """
    if value == ANY:
        return FieldTest(field_id=field.id)
    match field.kind:
        case "number":
            low, high = _read_range(value, _read_number)
            return FieldTest(field_id=field.id, low=low, high=high)
        case "date":
            low, high = _read_range(value, _read_days)
            return FieldTest(field_id=field.id, low=low, high=high)
        case "person":
            return FieldTest(field_id=field.id, ids=_find_people(actor, value))
    return FieldTest(field_id=field.id, text=words.fold(value.strip()))


def _read_range(value: str, read: Callable[[str], tuple[float, float]]) -> tuple[float | None, float | None]:
    """Read ``>1``, ``<=1``, ``1..2`` or ``1`` as bounds that are both with themselves.

    :raises ValueError: it is none, or beyond all numbers.
    """
    bounds = _read_bounds(value, read)
    if not all(bound is None or math.isfinite(bound) for bound in bounds):
        raise ValueError
    return bounds


def _read_bounds(value: str, read: Callable[[str], tuple[float, float]]) -> tuple[float | None, float | None]:
    first, dots, last = value.partition("..")
    if dots:
        return (read(first)[0] if first else None), (read(last)[1] if last else None)
    match = _SIGNED.fullmatch(value)
    if match is None:
        raise ValueError
    low, high = read(match["value"])
    match match["sign"]:
        case ">":
            return math.nextafter(high, math.inf), None
        case ">=":
            return low, None
        case "<":
            return None, math.nextafter(low, -math.inf)
        case "<=":
            return None, high
    return low, high


def _read_number(text: str) -> tuple[float, float]:
    number = float(text.strip().replace(",", ".")) + 0.0  # there is one zero
    if not math.isfinite(number):
        raise ValueError
    return number, number


def _read_days(text: str) -> tuple[float, float]:
    """Read a day, a month or a year as its first and last day."""
    match = _DAY.fullmatch(text.strip())
    if match is None:
        raise ValueError
    year, month, day = int(match[1]), match[2], match[3]
    if month is None:
        return date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    if day is None:
        last = calendar.monthrange(year, int(month))[1]
        return date(year, int(month), 1).toordinal(), date(year, int(month), last).toordinal()
    only = date(year, int(month), int(day)).toordinal()
    return only, only


def _find_people(actor: Actor, value: str) -> frozenset[UUID]:
    if value.lower() == "me":
        return frozenset({actor.user_id})
    found = identity.search_directory(tenant=actor.tenant, text=value, limit=PEOPLE_LIMIT).people
    if not found:
        raise ValueError
    return frozenset(person.user.id for person in found)
