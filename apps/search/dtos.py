"""What search tells other modules and the world."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from apps.files.dtos import Node, PathStep

Category = Literal[
    "folder", "pdf", "document", "sheet", "slides", "image", "video", "audio", "archive", "code", "text", "other"
]
"""What people call a kind of file."""

SortName = Literal["relevance", "modified_at", "size_bytes"]


TEXT_LIMIT = 400
"""Characters of a query: a long sentence."""

TextState = Literal["searched", "waiting", "none"]
TextReason = Literal[
    "type", "too_large", "too_complex", "damaged", "encrypted", "no_text", "failed", "infected", "withheld"
]
"""Why the text of a file is not searched: of its type there is none, it is larger than what is read, it would take too much to read, it
cannot be read, it needs a password, there is none in it (a scan has pictures alone), reading it has failed, malware was found
in it, or it was not scanned yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTest:
    """What is asked of a field of metadata: that its folded text holds something, is one of some ids, lies between two numbers (with
    both), or, without any of these, that there is a value at all.
    """

    field_id: UUID
    text: str | None = None
    ids: frozenset[UUID] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """One of these tests must hold, or none of them where it is negated: fields of several templates may have one name."""

    tests: tuple[FieldTest, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a search; ``None`` narrows nothing. Times are exclusive at their end, sizes inclusive at both."""

    categories: frozenset[Category] | None = None
    excluded_categories: frozenset[Category] | None = None
    is_folder: bool | None = None
    media_type: str | None = None
    owner_ids: frozenset[UUID] | None = None
    """Who made it first: one of these."""
    tag_ids: frozenset[UUID] | None = None
    """It has all of these."""
    properties: tuple[PropertyFilter, ...] | None = None
    """What it has in fields of metadata: all of these."""
    is_locked: bool | None = None
    """One person alone may change it now."""
    is_held: bool | None = None
    """It is on legal hold."""
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    size_min: int | None = None
    size_max: int | None = None

    def over(self, others: "Filters") -> "Filters":
        """Put these where they say something, and the others elsewhere."""
        told = {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}
        return replace(others, **told)


NO_FILTERS = Filters()

Since = Literal["day", "week", "month", "year"]
"""How long ago something was changed at most."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A part of a name that was looked for: characters from ``start`` up to, but not with, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SearchedText:
    """How it stands with the text inside a file: ``reason`` where it is not searched; ``is_cut`` where only its beginning is."""

    state: TextState
    reason: TextReason | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a file's text in which the words stand."""

    text: str
    highlights: Sequence[Highlight]


@dataclass(frozen=True, slots=True)
class FoundRemark:
    """The comment, or the description of a folder, in which the words stand, and the part of it where they do."""

    kind: Literal["comment", "description"]
    passage: Passage
    comment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A node that was found, with the folders from its root down to the one that it lies in.

    ``highlights`` mark the name. ``passage`` is where the words stand inside the file, when its name alone does not hold them; ``text``
    tells of a file whether its text is searched. ``remark`` is where they stand in what is written about the node.
    """

    node: Node
    path: Sequence[PathStep]
    highlights: Sequence[Highlight]
    passage: Passage | None = None
    text: SearchedText | None = None
    remark: FoundRemark | None = None
    origin_path: str | None = None
    """Where something was that lies in the trash, with its name."""


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found, best first, as far as the index had come.

    A page may be empty although ``next_cursor`` says that there may be more: what the caller may not see was passed over, and a request
    looks at a bounded number.
    """

    items: Sequence[Hit]
    next_cursor: str | None
    as_of_seq: int
    is_similar: bool = False
    """Nothing was found as it was typed; these names are nearly so."""
    facets: "Facets | None" = None
    is_names_only: bool = False
    """The engine that knows the texts does not answer now: these are found by their names alone."""


@dataclass(frozen=True, slots=True)
class Facet:
    """How many of what was found have a value, such as a kind of file; ``label`` is what a person or tag is called."""

    value: str
    count: int
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What there is among what was found and may be seen, most first; ``modified`` counts what was changed within a day, week, month, year.

    With ``is_capped`` there is more than was looked at: the best thousand candidates are counted.
    """

    kinds: Sequence[Facet]
    types: Sequence[Facet]
    owners: Sequence[Facet]
    tags: Sequence[Facet]
    metadata: Sequence[Facet]
    """Choices in fields of metadata; the value is the filter that is typed for it, such as ``status:open``."""
    modified: Sequence[Facet]
    locked_count: int
    """How much of it one person alone may change now."""
    held_count: int
    """How much of it is on legal hold, of what may be viewed."""
    is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideIndexState:
    """A tenant's index in OpenSearch, for operators: one that is searched, or one that is being built beside it."""

    is_live: bool
    name: str
    begun_at: datetime
    done_count: int
    total_count: int
    differing_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """How much a tenant's index holds, for operators: ``failures`` counts texts that are not searched by reason, most first."""

    document_count: int
    searched_count: int
    waiting_count: int
    failures: Sequence[Facet]
    is_outside_chosen: bool
    """The installation searches by OpenSearch, where the tenant's index there is whole."""
    outside: Sequence[OutsideIndexState]
    unsent_count: int
    """Changes that OpenSearch does not know yet."""
    rebuilt_count: int | None
    """Of how many files and folders a rebuild has written what it found; None where none is begun."""

    @property
    def has_failed(self) -> bool:
        """Whether some texts could not be read for a reason that was not the file's."""
        return any(failure.value == "failed" for failure in self.failures)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name that may be meant while somebody types; ``parent_name`` is the folder it lies in."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    parent_id: UUID | None
    parent_name: str


@dataclass(frozen=True, slots=True)
class SuggestedPerson:
    """Somebody who may be meant while somebody types; ``filter`` finds what is theirs: ``owner:"Anna Berg"``."""

    id: UUID
    name: str
    filter: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The names that fit best, and people who are called so."""

    items: Sequence[Suggestion]
    people: Sequence[SuggestedPerson]
