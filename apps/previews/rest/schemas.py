"""What requests for previews may say."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from apps.previews.dtos import PAGE_LIMIT, Size
from bitvault.web.structs import Query

Page = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]


class WhichText(Query, frozen=True):
    """Of which version of the file; without it of the current one."""

    version_id: UUID | None = None


class WhichPreview(WhichText, frozen=True):
    """Which picture: at most 256, 1024 or 1920 pixels wide and high, and of a document which page."""

    size: Size = "medium"
    page: Page = 1


class WhichPreviews(Query, frozen=True):
    """Of which files (ids, parted by commas), and how large."""

    node_ids: str
    size: Size = "small"
    page: Page = 1
