"""What requests about links may say."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from apps.links.dtos import LinkKindName, LinkWish
from bitvault.web.pagination import PageQuery
from bitvault.web.structs import Body

Moment = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(max_length=120)]
Password = Annotated[str, Meta(min_length=8, max_length=1024)]
Slug = Annotated[str, Meta(min_length=12, max_length=60)]
DownloadLimit = Annotated[int, Meta(ge=1, le=1_000_000)]


class CreateLink(Body, frozen=True):
    """What a new link gives and when; without ``slug`` its address is a secret that nobody can guess."""

    kind: LinkKindName
    name: Name = ""
    slug: Slug | None = None
    password: Password | None = None
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    download_limit: DownloadLimit | None = None

    def to_wish(self) -> LinkWish:
        """Give it as the door takes it."""
        return LinkWish(**structs.asdict(self))


class ChangeLink(Body, frozen=True):
    """What is to be different; ``null`` takes a password, a time or a limit away. ``ended: false`` lets a link go on that was ended."""

    kind: LinkKindName | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    download_limit: DownloadLimit | UnsetType | None = UNSET
    ended: bool | UnsetType = UNSET

    def to_changes(self) -> dict[str, Any]:
        """Give what is named."""
        return {name: value for name, value in structs.asdict(self).items() if value is not UNSET}


class GivePassword(Body, frozen=True):
    """The password of a link."""

    password: Annotated[str, Meta(max_length=1024)]


class ListPublicChildren(PageQuery, frozen=True):
    """Which part of which folder: the link's own, or one below it."""

    node_id: UUID | None = None
