"""What requests to search may say."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, field

from apps.search.dtos import TEXT_LIMIT, Category, Filters, SortName
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.derived import DerivedQuery
from bitvault.web.structs import Query

Text = Annotated[str, Meta(max_length=TEXT_LIMIT)]
Moment = Annotated[datetime, Meta(tz=True)]
Size = Annotated[int, Meta(ge=0)]


class SearchQuery(DerivedQuery, frozen=True):
    """What to find; at least a word or a filter. Filters narrow what the words find."""

    q: Text = ""
    kind: Literal["folder", "file"] | None = None
    type: Category | None = None
    media_type: str | None = None
    owner_id: UUID | None = None
    tag: Text | None = None
    locked: bool | None = None
    held: bool | None = None
    modified_after: Moment | None = None
    modified_before: Moment | None = None
    size_min: Size | None = None
    size_max: Size | None = None
    inside_id: UUID | None = field(default=None, name="in")
    trashed: bool = False
    facets: bool = False
    sort: SortName = "relevance"
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
    cursor: str | None = None

    @property
    def filters(self) -> Filters:
        """Give what narrows the search beside its words."""
        return Filters(
            categories=None if self.type is None else frozenset({self.type}),
            is_folder=None if self.kind is None else self.kind == "folder",
            media_type=self.media_type,
            owner_ids=None if self.owner_id is None else frozenset({self.owner_id}),
            is_locked=self.locked,
            is_held=self.held,
            modified_after=self.modified_after,
            modified_before=self.modified_before,
            size_min=self.size_min,
            size_max=self.size_max,
        )


class SuggestQuery(Query, frozen=True):
    """What somebody has typed so far."""

    q: Text
