"""What requests about nodes may say."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from apps.files.dtos import (
    LOCK_REASON_LIMIT,
    NAMED_LIMIT,
    RESTORE_LIMIT,
    ChildrenAction,
    OnConflict,
    OrderName,
    SortName,
)
from apps.files.dtos.history import RewindOutcome
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.derived import DerivedQuery
from bitvault.web.structs import Body, Query

LABEL_LIMIT = 100
"""Characters of a version's label: a line in a list."""

Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]


class CreateFolder(Body, frozen=True):
    """A new folder; with ``autorename`` a taken name becomes ``name (2)``."""

    parent_id: UUID
    name: str
    autorename: bool = False


class UpdateNode(Body, frozen=True):
    """Another name, another folder, another time of change; with ``autorename`` a taken name becomes ``name (2)``."""

    name: str | None = None
    parent_id: UUID | None = None
    autorename: bool = False
    client_modified_at: Annotated[datetime, Meta(tz=True)] | None = None


class LockNode(Body, frozen=True):
    """Until when (as the installation has it where nothing is said) and why; what is left out when a lock is prolonged stays."""

    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    reason: Annotated[str, Meta(max_length=LOCK_REASON_LIMIT)] | None = None


class UnlockNode(Query, frozen=True):
    """Whether somebody else's lock is meant too."""

    force: bool = False


class RestoreNode(Body, frozen=True):
    """Where to (the folder that it was in, else the nearest above that is left), and what becomes of a name that is taken there."""

    parent_id: UUID | None = None
    name: str | None = None
    on_conflict: OnConflict = "fail"


class RestoreNodes(Body, frozen=True):
    """Which nodes, and what to do about names that are taken."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=RESTORE_LIMIT)]
    on_conflict: OnConflict = "rename"


class ListChildren(Query, frozen=True):
    """Which page of a folder, in which order."""

    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None
    sort: SortName = "name"
    order: OrderName = "asc"


class ApplyToChildren(Body, frozen=True):
    """What to do with all children of a folder apart from ``except_ids``; ``cursor``: from an earlier answer, to go on.

    ``only_ids`` names a few children instead, and goes with neither of them.
    """

    action: ChildrenAction
    parent_id: UUID | None = None
    except_ids: Annotated[list[UUID], Meta(max_length=PAGE_LIMIT)] = []  # msgspec copies an empty list for each
    only_ids: Annotated[list[UUID], Meta(max_length=NAMED_LIMIT)] = []
    cursor: str | None = None


class ListVersions(Query, frozen=True):
    """Which page of a file's versions."""

    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class ListPast(DerivedQuery, frozen=True):
    """Which moment: `as_of` is a number of the stream, or a time (RFC 3339), else now; and which page of what lay there then."""

    as_of: str | None = None
    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class PlanRewind(Body, frozen=True):
    """Back to the moment `since`; or, with `by_kind` and `by_id`, without what that person, device or token did after it, up to `until`.

    Moments are numbers of the stream or times (RFC 3339).
    """

    since: Annotated[str, Meta(max_length=40)]
    until: Annotated[str, Meta(max_length=40)] | None = None
    by_kind: Literal["user", "device", "token"] | None = None
    by_id: UUID | None = None


class ListChangedDays(Query, frozen=True):
    """How many days are told, and in which time zone (IANA, ``Europe/Berlin``) they begin."""

    days: Annotated[int, Meta(ge=1, le=90)] = 30
    zone: Annotated[str, Meta(max_length=64)] = "UTC"


class ListChangedMoments(Query, frozen=True):
    """Of which day (today), in which time zone."""

    day: date | None = None
    zone: Annotated[str, Meta(max_length=64)] = "UTC"


class ListRewindActors(Query, frozen=True):
    """In which interval (the last day); moments are numbers of the stream or times (RFC 3339)."""

    since: Annotated[str, Meta(max_length=40)] | None = None
    until: Annotated[str, Meta(max_length=40)] | None = None


class ListRewinds(Query, frozen=True):
    """Which page of the caller's rewinds."""

    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class ListRewindItems(Query, frozen=True):
    """Which page of what a rewind does; with `outcome` only what is pending, done or kept."""

    outcome: RewindOutcome | None = None
    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class PreviewExpiry(Query, frozen=True):
    """Rules for earlier versions as the vault's policies would have them; what is left out deletes nothing."""

    keep_count: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    keep_days: Annotated[int, Meta(ge=1, le=3_650)] | None = None
    thinning: bool = False


class UpdateVersion(Body, frozen=True):
    """Another label (an empty one takes it away), or whether the version is kept until it is unpinned."""

    label: Annotated[str, Meta(max_length=LABEL_LIMIT)] | None = None
    pinned: bool | None = None


class ListTrash(Query, frozen=True):
    """Which page of which root's trash; the caller's own one when none is named."""

    root_id: UUID | None = None
    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class EmptyTrash(Query, frozen=True):
    """Which root's trash; the caller's own one when none is named."""

    root_id: UUID | None = None


class FindByPath(Query, frozen=True):
    """A full path under a root; the caller's own one when none is named."""

    path: str
    root_id: UUID | None = None


class ListTeamFolders(Query, frozen=True):
    """Those that are there, or those that have ended."""

    ended: bool = False


class CreateTeamFolder(Body, frozen=True):
    """A team folder to be made; who may do what in it is said by `/nodes/{id}/shares`."""

    name: str


class UpdateTeamFolder(Body, frozen=True):
    """Another name."""

    name: str


class RestoreTeamFolder(Body, frozen=True):
    """Another name, when the old one is taken."""

    name: str | None = None
