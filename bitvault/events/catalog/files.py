"""What happens to files and folders. Producer: ``apps/files``.

A new file is its first ``VersionCommitted``. What happens to a folder happens to all below it, without an event for each: trashed with
it, moved with it, back with it.

A team folder is a folder that lies nowhere: made, renamed, ended, brought back and deleted, it is told of like any other folder, with
``None`` where others have a parent. Who may do what in it is ``TeamAccessChanged``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from bitvault.events.message import Event

Kind = Literal["folder", "file"]
ActorKind = Literal["user", "link"]
"""Who acts: one of the people, or a link, through which a stranger sends something."""

UnlockCause = Literal["released", "trashed", "forced", "expired", "departed"]
RewindBy = Literal["user", "device", "token", "rewind", ""]
"""Whose doings a rewind undoes."""

GrantedRight = Literal["none", "viewer", "editor"]

RetentionKind = Literal["hold", "rule"]
RetentionTarget = Literal["vault", "person", "folder", "tag"]
"""What a hold or a retention rule is about: everything, what somebody keeps, a folder with all below it, what has a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCreated(Event):
    """A folder is there; ``parent_id`` is ``None`` for a root."""

    type: ClassVar[str] = "files.folder.created.v1"

    node_id: UUID
    parent_id: UUID | None
    name: str
    revision: int
    created_at: datetime
    actor_kind: ActorKind = "user"
    copied_from_node_id: UUID | None = None
    """The folder that this one is a copy of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCommitted(Event):
    """A file has a new current version; with ``node_created`` the file itself is new.

    ``previous_version_id`` is the one that was current before. ``conflict_with_id`` names the file whose stale update this copy keeps.
    """

    type: ClassVar[str] = "files.version.committed.v1"

    node_id: UUID
    parent_id: UUID
    name: str
    revision: int
    node_created: bool
    version_id: UUID
    previous_version_id: UUID | None
    conflict_with_id: UUID | None
    upload_id: UUID
    blob_id: UUID
    size_bytes: int
    content_hash: str
    media_type: str
    modified_at: datetime
    client_modified_at: datetime | None = None
    """When the sender says that the content changed."""
    made_on: str = ""
    """What the sender is called: a device, ``web`` or ``API``."""
    restored_from_id: UUID | None = None
    """The older version whose content this one brings back; then nothing was uploaded, and ``upload_id`` is the restore's own id."""
    copied_from_id: UUID | None = None
    """The version of another file that this one is a copy of; nothing was uploaded either."""
    actor_kind: ActorKind = "user"
    copied_from_node_id: UUID | None = None
    """That other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDescribed(Event):
    """A version has another label or pin; both are told as they are now."""

    type: ClassVar[str] = "files.version.described.v1"

    node_id: UUID
    version_id: UUID
    label: str
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsDeleted(Event):
    """Older versions of a live file are gone permanently. ``blob_ids`` names the blob of each, in the same order."""

    type: ClassVar[str] = "files.version.deleted.v1"

    node_id: UUID
    version_ids: Sequence[UUID]
    blob_ids: Sequence[UUID]
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMoved(Event):
    """A node has another name, another folder, or both. Both parents are ``None`` for a team folder, which has another name.

    ``media_type`` is what a file is told to be from now on, ``client_modified_at`` what was said of its time together with the move;
    ``None`` leaves them as they were.
    """

    type: ClassVar[str] = "files.node.moved.v1"

    node_id: UUID
    kind: Kind
    parent_id: UUID | None
    old_parent_id: UUID | None
    name: str
    old_name: str
    revision: int
    media_type: str | None = None
    client_modified_at: datetime | None = None
    actor_kind: ActorKind = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChanged(Event):
    """Something is said of a node that is neither its name, its place nor its content: when a device says that it changed."""

    type: ClassVar[str] = "files.node.changed.v1"

    node_id: UUID
    kind: Kind
    parent_id: UUID
    revision: int
    client_modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLocked(Event):
    """A file may be changed by ``holder_id`` alone until ``expires_at``; told anew when they give it another end or reason.

    Nothing is told at ``expires_at`` itself: readers go by the clock, and ``NodeUnlocked`` follows within minutes.
    """

    type: ClassVar[str] = "files.node.locked.v1"

    node_id: UUID
    parent_id: UUID
    name: str
    revision: int
    holder_id: UUID
    holder_name: str
    device: str
    stated_reason: str
    locked_at: datetime
    expires_at: datetime
    is_new: bool
    """Whether the lock was taken now; else it has another end or reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUnlocked(Event):
    """A lock is over: its holder has released it or put the file into the trash, somebody who manages the file has ended it (``forced``),
    its time is over, or the holder has left the tenant. Of what lies in the trash itself ``parent_id`` is ``None``.
    """

    type: ClassVar[str] = "files.node.unlocked.v1"

    node_id: UUID
    parent_id: UUID | None
    name: str
    revision: int
    holder_id: UUID
    cause: UnlockCause


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTrashed(Event):
    """A node, and all below it, lies in the trash until ``expires_at``. Without a parent before, it is a team folder that has ended."""

    type: ClassVar[str] = "files.node.trashed.v1"

    node_id: UUID
    kind: Kind
    old_parent_id: UUID | None
    name: str
    revision: int
    trashed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRestored(Event):
    """A node, and all that went with it, is back from the trash; a team folder has no parent. ``media_type`` as of ``NodeMoved``."""

    type: ClassVar[str] = "files.node.restored.v1"

    node_id: UUID
    kind: Kind
    parent_id: UUID | None
    name: str
    revision: int
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePurged(Event):
    """A part of what lay in the trash under ``node_id`` is gone for ever; the last part has ``is_last`` and holds that node itself.

    ``version_ids`` names the deleted versions, ``blob_ids`` the blob of each of them, in the same order.
    """

    type: ClassVar[str] = "files.node.purged.v1"

    node_id: UUID
    purged_node_ids: Sequence[UUID]
    version_ids: Sequence[UUID]
    blob_ids: Sequence[UUID]
    size_bytes: int
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamAccessChanged(Event):
    """Who may do what in a team folder is not as it was.

    ``everyone`` is what every member of the tenant may do from now on. ``user_ids`` names those for whom the folder's list says something
    else than before, ``rights`` what it says, in the same order; ``none`` has left the list.
    """

    type: ClassVar[str] = "files.team_access.changed.v1"

    node_id: UUID
    revision: int
    everyone: GrantedRight
    user_ids: Sequence[UUID]
    rights: Sequence[GrantedRight]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadSigned(Event):
    """Somebody was given a URL for the bytes of a version; whether they fetched them, the store knows."""

    type: ClassVar[str] = "files.download.signed.v1"

    node_id: UUID
    version_id: UUID
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSigned(Event):
    """Somebody was given a URL for an archive of some nodes and all that lay below them when it was made."""

    type: ClassVar[str] = "files.archive.signed.v1"

    archive_id: UUID
    node_ids: Sequence[UUID]
    """What was chosen."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindStarted(Event):
    """Somebody brings a folder back to what it was, or takes back what somebody did: all changes that follow have its id as request id.

    ``folder_id`` is ``None`` for all that the actor may manage, ``by_kind`` is empty where the doings of everybody are undone.
    """

    type: ClassVar[str] = "files.rewind.started.v1"

    rewind_id: UUID
    folder_id: UUID | None
    undoes_id: UUID | None
    since_seq: int
    until_seq: int
    by_kind: RewindBy
    by_id: UUID | None
    item_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindFinished(Event):
    """A rewind is over: so many nodes are as they were, and so many were kept as they are."""

    type: ClassVar[str] = "files.rewind.finished.v1"

    rewind_id: UUID
    folder_id: UUID | None
    done_count: int
    kept_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionStarted(Event):
    """Somebody has put something on legal hold, or made a retention rule.

    ``node_id`` is the folder of ``folder`` and the personal root of ``person``. ``told_user_id`` is who is to hear of it as its owner.
    """

    type: ClassVar[str] = "files.retention.started.v1"

    policy_id: UUID
    kind: RetentionKind
    name: str
    target: RetentionTarget
    node_id: UUID | None
    user_id: UUID | None
    tag_id: UUID | None
    keep_days: int | None
    delete_after_days: int | None
    told_user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChanged(Event):
    """A folder has other rules for the files that come into it: all are told as they are now. ``all`` types and no limit: it has none.

    Its revision stays: rules stand beside a node, as shares do.
    """

    type: ClassVar[str] = "files.rules.changed.v1"

    node_id: UUID
    name: str
    types: Literal["all", "except", "only"]
    extensions: Sequence[str]
    largest_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChanged(Event):
    """A hold has another name or reason, or a rule another length; all is told as it is now."""

    type: ClassVar[str] = "files.retention.changed.v1"

    policy_id: UUID
    kind: RetentionKind
    name: str
    keep_days: int | None
    delete_after_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLifted(Event):
    """A hold or a rule has ended: it keeps and deletes nothing any more. ``told_user_id`` as of ``RetentionStarted``."""

    type: ClassVar[str] = "files.retention.lifted.v1"

    policy_id: UUID
    kind: RetentionKind
    name: str
    node_id: UUID | None
    told_user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionApplied(Event):
    """A rule has put files into the trash whose time was over; each of them has a ``NodeTrashed``, too."""

    type: ClassVar[str] = "files.retention.applied.v1"

    policy_id: UUID
    trashed_count: int
