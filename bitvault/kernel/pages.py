"""Keyset pages: a list that stays right while others add and remove, at a cost that does not grow with the distance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing

from bitvault.kernel import tenancy
from bitvault.kernel.errors import Invalid, Malformed

T = TypeVar("T")

PAGE_LIMIT = 1000
"""The most items of one page: bounds memory and the time of one answer."""

PAGE_DEFAULT = 200
"""Items of a page when the caller does not say: about one screen of any client, and under 25 ms."""


class BadCursor(Malformed):
    """The cursor was not made by this installation for this tenant and this list."""

    code = "request.bad_cursor"
    title = "The cursor does not belong to this list"


class LimitOutOfRange(Invalid):
    """A page has at least one item and at most the limit; fact: ``limit``."""

    code = "request.limit_out_of_range"
    title = "A page has between 1 and 1000 items"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items of a list and the cursor of the next page, ``None`` after the last one."""

    items: Sequence[T]
    next_cursor: str | None = None

    def map(self, change: Callable[[T], Any]) -> "Page[Any]":
        """Make the page of ``change(item)`` for each item."""
        return Page([change(item) for item in self.items], self.next_cursor)


def require_limit(limit: int) -> None:
    """Refuse a page that would be empty or too large.

    :raises LimitOutOfRange: it would.
    """
    if not 1 <= limit <= PAGE_LIMIT:
        raise LimitOutOfRange(limit=PAGE_LIMIT)


def encode_cursor(purpose: str, position: Sequence[Any]) -> str:
    """Make an opaque cursor: signed, bound to the entered tenant and to ``purpose`` (the list and its order)."""
    return signing.dumps(list(position), salt=_salt(purpose), compress=False)


def decode_cursor(purpose: str, cursor: str) -> list[Any]:
    """Read a cursor that ``encode_cursor`` made for the same tenant and purpose.

    :raises BadCursor: it was not.
    """
    try:
        position = signing.loads(cursor, salt=_salt(purpose))
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor from error
    return list(position)


def _salt(purpose: str) -> str:
    tenant = tenancy.find_current()
    return f"bitvault.cursor:{tenant.id.hex if tenant else 'public'}:{purpose}"
