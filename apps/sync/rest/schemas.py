"""What requests to sync may say."""

from typing import Annotated
from uuid import UUID

import msgspec

from apps.sync.dtos import Resolution
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.derived import DerivedQuery
from bitvault.web.structs import Body

Limit = Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)]


Revision = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class RegisterDevice(Body, frozen=True):
    """A device to make; ``platform`` is any short word for what it runs on."""

    name: str
    platform: str


class ReadSnapshot(DerivedQuery, frozen=True, kw_only=True):
    """Which device, and which page; without a cursor a new snapshot is taken."""

    device_id: UUID
    cursor: str | None = None
    limit: Limit = PAGE_DEFAULT


class ReadChanges(DerivedQuery, frozen=True, kw_only=True):
    """From where on."""

    cursor: str
    limit: Limit = PAGE_DEFAULT


class Acknowledge(Body, frozen=True):
    """The cursor that the device has kept together with what came before it."""

    cursor: str


class ListConflicts(DerivedQuery, frozen=True):
    """Which page."""

    cursor: str | None = None
    limit: Limit = PAGE_DEFAULT


class ResolveConflict(Body, frozen=True):
    """Which of the two files stays, and in which revisions the caller has seen them: the one that goes must still be in its own."""

    keep: Resolution
    original_revision: Revision | None = None
    copy_revision: Revision | None = None
