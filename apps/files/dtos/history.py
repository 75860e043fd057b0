"""What the doors of history and rewinds give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from apps.files.dtos import KindName

PastState = Literal["same", "changed", "moved", "trashed", "purged"]
"""What has become of something since: nothing, it has another content, name or place, it lies in the trash, or is gone permanently."""
RewindBy = Literal["user", "device", "token", "rewind", ""]
"""Whose doings are undone: those of a person, a device, a token, an earlier rewind, or of everybody."""
RewindState = Literal["planned", "running", "stopped", "done"]
"""A rewind is planned, carried out by a job, stopped when that was canceled or has failed, or done."""
RewindChange = Literal["move", "restore", "trash", "content"]
"""What a rewind does to a node: gives it its place and name back, takes it out of the trash, puts it there, gives it a version back."""
RewindOutcome = Literal["pending", "done", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastNode:
    """A folder or a file as it was at a moment, and what has become of it since (``now``).

    Of a file whose version of then is gone permanently, ``version_id`` and ``size_bytes`` are ``None``. Its bytes come from
    ``/nodes/{id}/content?as_of=``.
    """

    id: UUID
    kind: KindName
    name: str
    parent_id: UUID
    version_id: UUID | None
    size_bytes: int | None
    media_type: str | None
    content_hash: str | None
    modified_at: datetime
    now: PastState


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChildren:
    """A page of what lay in a folder, as of a number of the stream and the time of that."""

    items: Sequence[PastNode]
    next_cursor: str | None
    as_of_seq: int
    as_of_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindCounts:
    """What a rewind is about: nodes that change, by what is done to them (a node may be both moved and given a version), and what is kept.

    ``reasons`` says why things are kept, and of how many each holds: ``changed_later``, ``changed_meanwhile``, ``purged``,
    ``version_gone``, ``forbidden``, ``parent_gone``, ``holds_others``, ``name_taken``, ``in_trash``, ``cycle``, ``too_deep``,
    ``path_too_long``, ``too_many_children``, ``locked``.
    """

    total: int
    move: int
    restore: int
    trash: int
    content: int
    done: int
    kept: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewind:
    """A rewind: of a folder to a moment, or of what somebody did from one moment to another.

    ``hidden_count`` is what they changed where the caller may not look. ``size_bytes`` is what the versions take that come back.
    """

    id: UUID
    state: RewindState
    folder_id: UUID | None
    since: datetime
    until: datetime
    by_kind: RewindBy
    by_id: UUID | None
    undoes_id: UUID | None
    undone_by_id: UUID | None
    planned_seq: int
    counts: RewindCounts
    hidden_count: int
    size_bytes: int
    job_id: UUID | None
    created_at: datetime
    begun_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindItem:
    """What a rewind does to one node. ``path`` is where it lay then, or what is new lies now; empty where the caller may not look.

    ``name`` is what it is called now. ``reason`` says why it, or a part of it, is kept as it is.
    """

    node_id: UUID
    kind: KindName
    path: str
    name: str
    changes: Sequence[RewindChange]
    outcome: RewindOutcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDay:
    """How much was changed on a day."""

    day: date
    change_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDays:
    """The last days, today last. Changes are told from ``since`` on: before that none are recorded, or none were asked for."""

    items: Sequence[ChangedDay]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMoment:
    """What one person did within five minutes. ``before`` is the moment before that, as a rewind takes it.

    The name is empty for somebody who is no member any more, and for who came through a link.
    """

    before: str
    at: datetime
    person_id: UUID
    person_name: str
    change_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMoments:
    """Moments of a day, latest first; with ``is_cut`` there are more."""

    items: Sequence[ChangedMoment]
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindActor:
    """Who changed something, or by which device or token: ``kind`` and ``id`` as a rewind takes them.

    ``name`` is what a person is called, or a device as the last version from it says; empty where that is not known.
    """

    kind: Literal["user", "device", "token"]
    id: UUID
    name: str
    person_id: UUID
    person_name: str
    change_count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindActors:
    """People first, then devices and tokens, each by how much they changed."""

    items: Sequence[RewindActor]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryPreview:
    """How many earlier versions rules would delete by now, and what they take. Unless it ``is_complete``, there are more than these."""

    version_count: int
    size_bytes: int
    is_complete: bool
