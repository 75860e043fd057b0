"""What requests about nodes may say."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from apps.files.dtos import OnConflict, OrderName, SortName
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.views import Body, Query

Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]


class CreateFolder(Body, frozen=True):
    """A new folder; with ``autorename`` a taken name becomes ``name (2)``."""

    parent_id: UUID
    name: str
    autorename: bool = False


class UpdateNode(Body, frozen=True):
    """Another name, another folder, or both; with ``autorename`` a taken name becomes ``name (2)``."""

    name: str | None = None
    parent_id: UUID | None = None
    autorename: bool = False


class RestoreNode(Body, frozen=True):
    """Where to, and what to do when that cannot be (see the door)."""

    parent_id: UUID | None = None
    name: str | None = None
    on_conflict: OnConflict = "fail"


class ListChildren(Query, frozen=True):
    """Which page of a folder, in which order."""

    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None
    sort: SortName = "name"
    order: OrderName = "asc"


class ListTrash(Query, frozen=True):
    """Which page of the trash."""

    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class FindByPath(Query, frozen=True):
    """A full path under the caller's personal root."""

    path: str
