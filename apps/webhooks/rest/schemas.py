"""What requests about webhooks may say."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from apps.webhooks.dtos import Format, Wish
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.structs import Body, Query

Url = Annotated[str, Meta(min_length=1, max_length=2000)]
Pattern = Annotated[str, Meta(min_length=1, max_length=80)]
Patterns = Annotated[list[Pattern], Meta(min_length=1, max_length=50)]
Description = Annotated[str, Meta(max_length=200)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class CreateWebhook(Body, frozen=True):
    """Where to, and which events: `*`, `files.*`, `files.node.moved`."""

    url: Url
    events: Patterns
    folder_id: UUID | None = None
    actor_id: UUID | None = None
    description: Description = ""
    format: Format = "standard"

    def to_wish(self) -> Wish:
        """Give it as the door takes it."""
        return Wish(**structs.asdict(self))


class ChangeWebhook(Body, frozen=True):
    """What is to be different; ``null`` takes a filter away."""

    url: Url | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    folder_id: UUID | UnsetType | None = UNSET
    actor_id: UUID | UnsetType | None = UNSET
    description: Description | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET

    def to_changes(self) -> dict[str, Any]:
        """Give what is named."""
        return {name: value for name, value in structs.asdict(self).items() if value is not UNSET}


class Replay(Body, frozen=True):
    """From which number of the stream on."""

    from_seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class ListEvents(Query, frozen=True):
    """After which number, and how many."""

    after_seq: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
