"""What requests about links may say."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from apps.links.dtos import LinkKindName, LinkWish, RequestWish
from bitvault.web.pagination import PageQuery
from bitvault.web.structs import Body

Moment = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(max_length=120)]
Password = Annotated[str, Meta(min_length=8, max_length=1024)]
Slug = Annotated[str, Meta(min_length=12, max_length=60)]
DownloadLimit = Annotated[int, Meta(ge=1, le=1_000_000)]


Bytes = Annotated[int, Meta(ge=1, le=2**50)]


class AskForFiles(Body, frozen=True):
    """What a link asks for that takes files, and its limits: ``max_files`` of one sender, ``max_total_bytes`` of all together.

    ``accepts`` names endings (``.pdf``) and families (``image/*``); none: all types are taken. Files are taken until ``deadline``, and for
    ``grace_hours`` after it as late ones.
    """

    title: Annotated[str, Meta(min_length=1, max_length=120)]
    text: Annotated[str, Meta(max_length=2000)] = ""
    deadline: Moment | None = None
    grace_hours: Annotated[int, Meta(ge=0, le=720)] = 0
    ask_name: bool = True
    ask_email: bool = False
    max_file_bytes: Bytes | None = None
    max_files: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    max_total_bytes: Bytes | None = None
    accepts: Annotated[
        list[Annotated[str, Meta(max_length=40)]], Meta(max_length=50)
    ] = []  # msgspec copies an empty list
    folder_per_sender: bool = False

    def to_wish(self) -> RequestWish:
        """Give it as the door takes it."""
        return RequestWish(**structs.asdict(self))


class CreateLink(Body, frozen=True):
    """What a new link gives and when; without ``slug`` its address is a secret that nobody can guess."""

    kind: LinkKindName
    name: Name = ""
    slug: Slug | None = None
    password: Password | None = None
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    download_limit: DownloadLimit | None = None
    request: AskForFiles | None = None

    def to_wish(self) -> LinkWish:
        """Give it as the door takes it."""
        return LinkWish(**{**structs.asdict(self), "request": self.request and self.request.to_wish()})


class ChangeLink(Body, frozen=True):
    """What is to be different; ``null`` takes a password, a time or a limit away. ``ended: false`` lets a link go on that was ended."""

    kind: LinkKindName | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    download_limit: DownloadLimit | UnsetType | None = UNSET
    request: AskForFiles | UnsetType = UNSET
    ended: bool | UnsetType = UNSET

    def to_changes(self) -> dict[str, Any]:
        """Give what is named."""
        named = {name: value for name, value in structs.asdict(self).items() if value is not UNSET}
        return {name: value.to_wish() if isinstance(value, AskForFiles) else value for name, value in named.items()}


class DrawAddress(Body, frozen=True):
    """The whole address of a link, as the answer told it that made the link."""

    address: Annotated[str, Meta(min_length=1, max_length=500)]


class BeginSubmission(Body, frozen=True):
    """Who sends something, as far as the request asks for it."""

    name: Annotated[str, Meta(max_length=120)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""


class GivePassword(Body, frozen=True):
    """The password of a link."""

    password: Annotated[str, Meta(max_length=1024)]


class ListPublicChildren(PageQuery, frozen=True):
    """Which part of which folder: the link's own, or one below it."""

    node_id: UUID | None = None
