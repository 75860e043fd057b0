"""The query language: words, "phrases", -not, and filters (``type:pdf -type:image before:2026-01-01 size:>10MB owner:anna in:trash``).

Filters that a word cannot be read as are words: who types ``12:30`` looks for that. A known filter with a value that cannot be read is
refused, so that nobody takes what is found for what was asked.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID

from apps.search import properties, words
from apps.search.dtos import NO_FILTERS, TEXT_LIMIT, Category, Filters
from apps.search.errors import FilterInvalid, QueryTooLong

TERMS_LIMIT = 16
"""Words and phrases of a query; each is a look-up of its own."""

PREFIX_LETTERS = 3
"""Letters from which on a word is looked for as the beginning of a text's words, too."""

_TOKEN = re.compile(r'(?P<minus>-)?(?:(?P<key>[^\W\d_][^\s":]{1,59}):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_KEYS = frozenset({"type", "kind", "owner", "tag", "in", "before", "after", "size", "locked", "held"})
_NEGATED_KEYS = frozenset({"type", "kind"})
_SIZE = re.compile(r"(?P<sign>[<>]=?)?(?P<number>\d{1,15}(?:\.\d{1,3})?)\s*(?P<unit>[kmgt]?i?b?)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SAME_SIZE = 0.05
"""``size:10MB`` without a sign means about so: within this share."""

_CATEGORIES: dict[str, Category] = {
    **{name: name for name in get_args(Category)},
    "doc": "document",
    "word": "document",
    "excel": "sheet",
    "spreadsheet": "sheet",
    "powerpoint": "slides",
    "presentation": "slides",
    "photo": "image",
    "picture": "image",
    "music": "audio",
    "zip": "archive",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a name or text must hold, or must not: a folded text, and the words that it is made of."""

    text: str
    words: tuple[str, ...]
    negated: bool = False
    is_phrase: bool = False
    lexemes: tuple[str, ...] = ()
    """The words of a text that stand for it, one after another."""

    @property
    def is_beginning(self) -> bool:
        """Whether its last word may be the beginning of a text's word: it is typed without quotes, and does not begin too many."""
        last = self.lexemes[-1]
        return not self.is_phrase and len(last) >= PREFIX_LETTERS and not words.is_letter(last)


@dataclass(frozen=True, slots=True)
class Property:
    """A filter by metadata: what stands before and behind the colon."""

    key: str
    value: str
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is for."""

    terms: tuple[Term, ...] = ()
    filters: Filters = NO_FILTERS
    owner_names: tuple[str, ...] = ()
    """People of whom one must have made it, as they were typed."""
    tag_names: tuple[str, ...] = ()
    """Tags of which it must have each, as they were typed."""
    folder_names: tuple[str, ...] = ()
    """Folders below one of which it must lie, as they were typed."""
    properties: tuple[Property, ...] = ()
    """What it must have in fields of metadata, or must not, as it was typed."""
    inside_ids: frozenset[UUID] | None = None
    """The same folders, once they are found."""
    is_trashed: bool = False
    """What lies in the trash is looked for, and nothing else."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: no word that names must hold, and no filter."""
        names = (self.owner_names, self.tag_names, self.folder_names, self.properties)
        return self.filters == NO_FILTERS and not any(names) and all(term.negated for term in self.terms)

    @property
    def held(self) -> list[Term]:
        """What must be there."""
        return [term for term in self.terms if not term.negated]

    @property
    def looked_for(self) -> list[str]:
        """The folded texts that names are to hold, for highlights."""
        return [text for term in self.terms if not term.negated for text in (term.text, *term.words)]


def parse(text: str, *, me: UUID, field_keys: Collection[str] = ()) -> Wanted:
    """Read what somebody typed.

    :param me: who asks, for ``owner:me``.
    :param field_keys: what is typed for fields of metadata (``properties.key_of``).
    :raises QueryTooLong: it has more than 400 characters, or more than 16 words.
    :raises FilterInvalid: a filter has a value that cannot be read.
    """
    if len(text) > TEXT_LIMIT:
        raise QueryTooLong(limit=TEXT_LIMIT, unit="characters")
    wanted, terms = Wanted(), []
    for match in _TOKEN.finditer(text):
        value = _value_of(match)
        if _is_filter(match):
            wanted = _exclude(wanted, value) if match["minus"] else _narrow(wanted, match["key"], value, me)
            continue
        if _is_property(match, field_keys):
            told = Property(match["key"], value, is_negated=bool(match["minus"]))
            wanted = replace(wanted, properties=(*wanted.properties, told))
            continue
        if match["key"]:
            value = f"{match['key']}:{value}"
        term = _to_term(value, negated=bool(match["minus"]), is_phrase=match["phrase"] is not None)
        if term is not None:
            terms.append(term)
    if len(terms) > TERMS_LIMIT:
        raise QueryTooLong(limit=TERMS_LIMIT, unit="words")
    return replace(wanted, terms=tuple(terms))


def may_name_fields(text: str) -> bool:
    """Whether a text has something that may be a filter by metadata."""
    return any(match["key"] and not _is_filter(match) for match in _TOKEN.finditer(text))


def list_filters(text: str, field_keys: Collection[str] = ()) -> list[tuple[str, str]]:
    """List the filters in what somebody typed, each with the text that is left when it is taken away."""
    found = [match for match in _TOKEN.finditer(text) if _is_filter(match) or _is_property(match, field_keys)]
    return [(match.group(), " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())) for match in found]


def _is_filter(match: re.Match[str]) -> bool:
    return match["key"] in (_NEGATED_KEYS if match["minus"] else _KEYS) and bool(_value_of(match))


def _is_property(match: re.Match[str], field_keys: Collection[str]) -> bool:
    if not match["key"] or not _value_of(match) or match["key"] in _KEYS:
        return False
    return properties.key_of(match["key"]) in field_keys


def _value_of(match: re.Match[str]) -> str:
    return match["word"] if match["word"] is not None else match["phrase"] or ""


def _to_term(value: str, *, negated: bool, is_phrase: bool) -> Term | None:
    found = tuple(words.cut_words(value))
    folded = words.fold(value.strip())
    if not folded:
        return None
    lexemes = tuple(forms[0] for forms in words.read_words(unicodedata.normalize("NFC", value)))
    return Term(folded, found, negated=negated, is_phrase=is_phrase, lexemes=lexemes)


def _narrow(wanted: Wanted, key: str, value: str, me: UUID) -> Wanted:
    """Set a filter."""
    filters = wanted.filters
    match key:
        case "owner" if value.lower() != "me":
            return replace(wanted, owner_names=(*wanted.owner_names, value))
        case "tag":
            return replace(wanted, tag_names=(*wanted.tag_names, value))
        case "in" if value.lower() == "trash":
            return replace(wanted, is_trashed=True)
        case "in":
            return replace(wanted, folder_names=(*wanted.folder_names, value))
        case "owner":
            filters = replace(filters, owner_ids=(filters.owner_ids or frozenset()) | {me})
        case "before":
            filters = replace(filters, modified_before=_read_day(key, value))
        case "after":
            filters = replace(filters, modified_after=_read_day(key, value) + timedelta(days=1))
        case "locked" | "held":
            filters = _narrow_state(filters, key, value)
        case "size":
            filters = _narrow_size(filters, value)
        case _:
            filters = _narrow_type(filters, value)
    return replace(wanted, filters=filters)


def _exclude(wanted: Wanted, value: str) -> Wanted:
    """Leave out what is of a type (``-type:pdf``)."""
    filters, name = wanted.filters, value.lower()
    if name in ("file", "folder"):
        return replace(wanted, filters=replace(filters, is_folder=name == "file"))
    excluded = (filters.excluded_categories or frozenset()) | {_find_category(value)}
    return replace(wanted, filters=replace(filters, excluded_categories=excluded))


def _narrow_type(filters: Filters, value: str) -> Filters:
    name = value.lower()
    if name in ("file", "folder"):
        return replace(filters, is_folder=name == "folder")
    return replace(filters, categories=(filters.categories or frozenset()) | {_find_category(value)})


def _find_category(value: str) -> Category:
    name = value.lower()
    category = _CATEGORIES.get(name) or _CATEGORIES.get(name.removesuffix("s"))
    if category is None:
        raise FilterInvalid("There is no kind of file called “%(value)s”.", filter="type", value=value)
    return category


def _read_day(key: str, value: str) -> datetime:
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise FilterInvalid("Write the day of “%(filter)s” as 2026-12-31.", filter=key, value=value) from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _narrow_state(filters: Filters, key: str, value: str) -> Filters:
    is_so = _read_choice(key, value)
    return replace(filters, is_locked=is_so) if key == "locked" else replace(filters, is_held=is_so)


def _read_choice(key: str, value: str) -> bool:
    if value.lower() not in ("yes", "no"):
        raise FilterInvalid("Write “%(filter)s:yes” or “%(filter)s:no”.", filter=key, value=value)
    return value.lower() == "yes"


def _narrow_size(filters: Filters, value: str) -> Filters:
    match = _SIZE.fullmatch(value)
    if match is None:
        raise FilterInvalid("Write a size as >10MB, <2GB or 500kB.", filter="size", value=value)
    size_bytes = int(float(match["number"]) * _UNITS[match["unit"].lower()[:1]])
    match match["sign"]:
        case ">" | ">=":
            return replace(filters, size_min=size_bytes + (match["sign"] == ">"))
        case "<" | "<=":
            return replace(filters, size_max=size_bytes - (match["sign"] == "<"))
    room = int(size_bytes * _SAME_SIZE)
    return replace(filters, size_min=size_bytes - room, size_max=size_bytes + room)
