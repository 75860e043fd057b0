"""What the doors of this module give and take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apps.files.dtos.retention import Kept
from apps.files.dtos.rules import RulesInForce
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import CapabilityName
from bitvault.kernel.names import PortabilityProblem
from bitvault.kernel.permissions import Permission

KindName = Literal["folder", "file"]
Mode = Literal["add", "overwrite", "update"]
NodeRef = UUID | Literal["root"]
"""A node by its id, or the caller's own personal root."""
SortName = Literal["name", "modified_at", "size_bytes"]
OrderName = Literal["asc", "desc"]
ChildrenAction = Literal["trash", "move"]
OnConflict = Literal["fail", "rename", "replace"]
"""What becomes of a taken name at a restore: it is refused, gets a number, or what has it goes into the trash."""
RestoredTo = Literal["origin", "ancestor", "named"]
"""Where a node came back to: the folder that it was in, the nearest one above that was left, or the one that the caller named."""

RESTORE_LIMIT = 1000
"""Nodes that one call takes out of the trash: some seconds, and as many as a page of any list holds."""
LOCK_REASON_LIMIT = 200
"""Characters of a lock's reason: a line in a list."""
NAMED_LIMIT = 100
"""Children that one operation on a folder names one by one: half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A label that somebody put on a node."""

    id: UUID
    name: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Who alone may change a file until ``expires_at``: a person, whichever of their devices or tokens they use.

    ``device`` is where they took it, for people; ``holder_name`` is what the holder was called then.
    """

    holder_id: UUID
    holder_name: str
    device: str
    reason: str
    locked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A folder or a file as the caller may see it.

    ``size_bytes``, ``media_type``, ``content_hash`` and ``version_id`` are those of a file's current version and ``None`` for a folder.
    ``modified_at`` is when the content last changed here, ``client_modified_at`` when the device that sent it says so. ``capabilities`` is
    what the caller may do with it. ``parent_id`` is ``None`` for a root, and where the caller does not see the parent. ``name_problems``
    tell why other systems cannot hold the name as it is, or why it misleads a reader; it is kept all the same.

    ``tags`` and ``favourite`` (the caller's own mark) are told where a node is read or changed by its id or path, in lists of folders and
    in searches. They do not belong to the node's revision. Answers to uploads, copies and restores, and the trash, leave them empty.
    ``lock`` is told everywhere and belongs to the revision; one that has expired is told nowhere.
    """

    id: UUID
    kind: KindName
    name: str
    parent_id: UUID | None
    revision: int
    size_bytes: int | None
    media_type: str | None
    content_hash: str | None
    version_id: UUID | None
    created_at: datetime
    modified_at: datetime
    client_modified_at: datetime | None
    created_by: UUID
    tags: Sequence[Tag] = ()
    favourite: bool = False
    lock: Lock | None = None
    trashed_at: datetime | None
    capabilities: Sequence[CapabilityName]
    name_problems: Sequence[PortabilityProblem]


@dataclass(frozen=True, slots=True)
class Children:
    """A page of what lies in a folder, and what all of it is: how many nodes, and how many bytes the files among them have.

    The bytes are added up for the first page alone; they are ``null`` on those that follow.
    """

    items: Sequence[Node]
    next_cursor: str | None = None
    total_count: int = 0
    total_bytes: int | None = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one node of several; ``code`` and ``detail`` say why it was left as it is."""

    id: UUID
    name: str
    done: bool
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AppliedPage:
    """What became of some of a folder's children, and the cursor of the rest."""

    items: Sequence[Applied]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedNode(Node):
    """A node in the trash; ``root_id``, ``parent_id`` and ``origin_path`` tell where it was.

    ``kept`` says why it is not deleted permanently, not when ``expires_at`` is over either; ``None`` where nothing keeps it.
    """

    root_id: UUID
    origin_path: str
    trashed_by: UUID
    expires_at: datetime
    kept: Kept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredNode(Node):
    """A node that came back from the trash; ``path`` is its full path under the root ``root_id``."""

    root_id: UUID
    path: str
    restored_to: RestoredTo


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOutcome:
    """What became of one of a set that was to come back: it is live, or was refused."""

    id: UUID
    node: RestoredNode | None = None
    status: int = 200
    problem: Mapping[str, Any] | None = None
    """Why it was refused, as a request of its own would be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The nodes from the topmost one that the caller sees down to one of its descendants, both included.

    ``team_folder_id`` names the topmost one if it is a team folder; ``is_own`` says that it is the caller's own root. Neither holds in what
    others have shared with the caller.
    """

    items: Sequence[Node]
    team_folder_id: UUID | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class OpenedFolder:
    """What a page of a folder shows; a file has a path and no ``children``."""

    path: Path
    children: Children | None
    rules: RulesInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFolder:
    """A root that belongs to the whole tenant, as the caller may see it; its ``id`` is that of the node, and its shares are the node's.

    An ended one has ``ended_at``, and is deleted permanently at ``expires_at``.
    """

    id: UUID
    name: str
    revision: int
    created_at: datetime
    created_by: UUID
    ended_at: datetime | None
    expires_at: datetime | None
    capabilities: Sequence[CapabilityName]


@dataclass(frozen=True, slots=True)
class TeamFolders:
    """Team folders that the caller reaches, and, for who administers the tenant, those that have ended."""

    live: Sequence[TeamFolder]
    ended: Sequence[TeamFolder]


@dataclass(frozen=True, slots=True)
class OpenedTrash:
    """What a page of the trash of a root shows; ``teams`` are the other roots that have a trash for the caller."""

    items: Sequence[TrashedNode]
    next_cursor: str | None
    teams: Sequence[TeamFolder]
    total_count: int


@dataclass(frozen=True, slots=True)
class PathStep:
    """A folder on the way to a node; the reader's own root is called in each reader's language."""

    id: UUID
    name: str
    is_own_root: bool = False


@dataclass(frozen=True, slots=True)
class AncestryStep:
    """A node or something that it lies in; ``name`` is ``None`` where the caller does not see it."""

    id: UUID
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """A live node with all that it lies in: ``steps`` begin with the node and end with its root.

    ``owner_id`` is whose personal root that is; a team folder has none.
    """

    node: Node
    steps: Sequence[AncestryStep]
    owner_id: UUID | None
    in_team_folder: bool

    def is_kept_by(self, actor: Actor) -> bool:
        """Whether the tree is the actor's own, or a team folder of a tenant that they administer."""
        return actor.may(Permission.MANAGE_TEAM_FOLDERS) if self.in_team_folder else self.owner_id == actor.user_id


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whose tree a live node lies in: a person's, or with ``owner_id`` ``None`` a team folder of the tenant's."""

    owner_id: UUID | None


@dataclass(frozen=True, slots=True)
class NamedNode:
    """What a live node is called."""

    id: UUID
    kind: KindName
    name: str


@dataclass(frozen=True, slots=True)
class FoundNode:
    """A live node that somebody may see, with the folders from its root down to the one that it lies in."""

    node: Node
    path: Sequence[PathStep]
    is_own_root: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Which bytes to send for a file or one of its versions, and under which name."""

    blob_id: UUID
    name: str
    media_type: str
    size_bytes: int
    content_hash: str
    version_id: UUID
    is_live: bool = True
    """Whether the file lies in a folder now, and not in the trash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A version that has a content, what its file is called, and who brought it."""

    node_id: UUID
    version_id: UUID
    name: str
    media_type: str
    sender_id: UUID
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachableRoot:
    """A root whose whole tree somebody may see, and what they may do there: a mask of ``kernel.capabilities``."""

    id: UUID
    mask: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRow:
    """A node as a derivation needs it: no rights, and those in the trash too (``parent_id`` is ``None`` there as for a root)."""

    id: UUID
    kind: KindName
    parent_id: UUID | None
    is_trashed: bool
    name: str
    revision: int
    size_bytes: int | None
    media_type: str | None
    content_hash: str | None
    version_id: UUID | None
    blob_id: UUID | None
    created_at: datetime
    modified_at: datetime
    client_modified_at: datetime | None
    created_by: UUID
    lock: Lock | None
    """As it was taken, whether it has expired or not."""
    version_count: int
    versions_bytes: int
    """Bytes of all its versions together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRows:
    """Nodes in the order of their ids, exactly as they are at a number of the stream."""

    items: Sequence[TreeRow]
    as_of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBytes:
    """What all versions of a tenant have together, exactly as it is at a number of the stream."""

    size_bytes: int
    unrefunded_bytes: int
    """What purges have freed and the quota may not have got back yet."""
    as_of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version as a derivation needs it."""

    id: UUID
    node_id: UUID
    blob_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRows:
    """Versions in the order of their ids, exactly as they are at a number of the stream."""

    items: Sequence[VersionRow]
    as_of_seq: int
