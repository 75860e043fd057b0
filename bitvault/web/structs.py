"""What requests say, as msgspec structs: read by their types, never coerced and never ignored.

The parser (``parsers``) and requests (``requests``) read by these; the OpenAPI document is made from the same types.
"""

from datetime import datetime
from functools import cache
from typing import Any, TypeVar, get_args

import msgspec

from bitvault.kernel import errors

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

SENTENCE_LIMIT = 300
"""Characters of a refusal: enough for the path to any field of ours."""


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Base of request bodies: unknown fields are refused, so no misspelt wish is silently ignored."""


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Base of query strings; unknown parameters are refused like unknown fields."""


def read_json(content: bytes, kind: type[T]) -> T:
    """Read JSON as ``kind``; of a field that comes twice the last one counts.

    :raises Malformed: it is not JSON.
    :raises Invalid: a field is missing, unknown, or of another type; the detail names its path.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise errors.Invalid(shorten(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Malformed("The body is not valid JSON.") from error
    except RecursionError as error:
        raise errors.Malformed("The body is nested too deep.") from error


def read_texts(given: dict[str, str], kind: type[S]) -> S:
    """Read texts, which all parameters of a query are, as ``kind``.

    :raises Invalid: one is missing, unknown, or of another type.
    """
    try:
        # Leniently, since all are texts; but then any number would pass for a moment.
        for moment in _moments_of(kind) & given.keys():
            msgspec.convert({moment: given[moment]}, dict[str, datetime])
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise errors.Invalid(shorten(str(error))) from error


@cache
def _moments_of(kind: type[msgspec.Struct]) -> frozenset[str]:
    """List the parameters that hold a moment."""
    return frozenset(part.encode_name for part in msgspec.structs.fields(kind) if _holds_moment(part.type))


def _holds_moment(kind: Any) -> bool:
    return kind is datetime or any(_holds_moment(part) for part in get_args(kind))


def shorten(text: str) -> str:
    """Cut what repeats the caller's own words: names of fields are as long as the caller likes."""
    return text if len(text) <= SENTENCE_LIMIT else f"{text[:SENTENCE_LIMIT]}…"
