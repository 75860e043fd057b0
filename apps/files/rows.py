"""Rows of ``files_node`` as values, and the ways from a node up to its root.

Hot paths read rows without model instances: building those is most of a list's time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from apps.files import errors
from apps.files.dtos import KindName, Lock, Node, NodeRef
from apps.files.models import Kind
from apps.files.models import Node as NodeModel
from apps.files.sql.walks import WAY
from bitvault.kernel import clock, db, names
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.capabilities import CapabilityName
from bitvault.kernel.errors import NotFound
from bitvault.kernel.revisions import ExpectedRevision, is_expected


class NodeRow(NamedTuple):
    """One row, in the order of ``COLUMNS``. ``is_team_folder`` holds for a live one and for one that has ended."""

    id: UUID
    kind: int
    parent_id: UUID | None
    owner_user_id: UUID | None
    is_team_folder: bool
    name: str
    revision: int
    version_id: UUID | None
    size_bytes: int
    media_type: str
    content_hash: str
    created_at: datetime
    modified_at: datetime
    client_modified_at: datetime | None
    created_by: UUID
    trashed_at: datetime | None
    child_count: int
    levels_below_bound: int
    path_bytes_below_bound: int
    lock: str | None = None
    """JSON of the lock as it was taken; ``find_lock`` tells whether it still holds."""
    file_rules: str | None = None
    """JSON of a folder's own rules for files, as ``dtos.rules.StoredRules``."""

    @property
    def is_folder(self) -> bool:
        """Whether other nodes can lie in it."""
        return self.kind == Kind.FOLDER

    @property
    def is_root(self) -> bool:
        """Whether a live tree begins here: somebody's own, or a team folder's."""
        return self.parent_id is None and self.trashed_at is None

    @property
    def kind_name(self) -> KindName:
        """What it is, in the words of the API."""
        return kind_name(self.kind)


def kind_name(kind: int) -> KindName:
    """Name a kind in the words of the API."""
    return "folder" if kind == Kind.FOLDER else "file"


def find_lock(stored: str | None) -> Lock | None:
    """Read a lock; ``None`` when there is none, or its time is over."""
    if stored is None:
        return None
    lock = msgspec.json.decode(stored, type=Lock)
    return lock if lock.expires_at > clock.now() else None


def to_node(row: NodeRow, capabilities: Sequence[CapabilityName], *, hides_parent: bool = False) -> Node:
    """Make the DTO of a row.

    :param hides_parent: the reader does not see what the node lies in.
    """
    is_file = row.kind == Kind.FILE
    return Node(
        id=row.id,
        kind="file" if is_file else "folder",
        name=row.name,
        parent_id=None if hides_parent else row.parent_id,
        revision=row.revision,
        size_bytes=row.size_bytes if is_file else None,
        media_type=row.media_type if is_file else None,
        content_hash=row.content_hash if is_file else None,
        version_id=row.version_id,
        created_at=row.created_at,
        modified_at=row.modified_at,
        client_modified_at=row.client_modified_at,
        created_by=row.created_by,
        trashed_at=row.trashed_at,
        lock=find_lock(row.lock),
        capabilities=capabilities,
        name_problems=names.find_portability_problems(row.name),
    )


@dataclass(frozen=True, slots=True)
class Way:
    """The rows from a node (first) up to where its tree begins (last)."""

    rows: Sequence[NodeRow]

    @property
    def node(self) -> NodeRow:
        """The node at its lower end."""
        return self.rows[0]

    @property
    def root(self) -> NodeRow:
        """The row at its upper end: a root, or the top of something in the trash."""
        return self.rows[-1]

    @property
    def is_live(self) -> bool:
        """Whether neither the node nor anything above it lies in the trash."""
        return self.root.is_root

    @property
    def depth(self) -> int:
        """Levels between the root and the node; 0 for the root itself."""
        return len(self.rows) - 1

    @property
    def path(self) -> str:
        """The node's full path, ``/`` for the root."""
        return "/" + "/".join(row.name for row in reversed(self.rows[:-1]))

    @property
    def path_bytes(self) -> int:
        """Bytes that the full path has in UTF-8, each name with its slash; 0 for the root."""
        return sum(name_bytes(row.name) for row in self.rows[:-1])

    def passes(self, node_id: UUID) -> bool:
        """Tell whether the way leads through a node."""
        return any(row.id == node_id for row in self.rows)


def name_bytes(name: str) -> int:
    """Bytes that a name adds to a path, with its slash."""
    return 1 + len(name.encode())


def find_ways(ids: Iterable[UUID | None], *, root_of: Actor | None = None) -> dict[UUID, Way]:
    """Read the ways up from several nodes in one query; unknown ones are left out.

    :param root_of: whose personal root is read too.
    """
    found: dict[UUID, list[NodeRow]] = {}
    parameters = {
        "ids": [one for one in ids if one is not None],
        "owner_id": _owner_of_root(root_of),
    }
    for *values, start_id in fetch_all(WAY, parameters):
        found.setdefault(start_id, []).append(NodeRow._make(values))
    return {start_id: Way(rows) for start_id, rows in found.items()}


def find_way(node: NodeRef, actor: Actor) -> Way | None:
    """Read the way up from a node, or from the actor's personal root when the node is ``root``."""
    if node == "root":
        return next(iter(find_ways([], root_of=actor).values()), None)
    return find_ways([node]).get(node)


def _owner_of_root(actor: Actor | None) -> UUID | None:
    return actor.user_id if actor is not None and actor.kind is ActorKind.USER else None


def read_rows(nodes: QuerySet[NodeModel]) -> list[NodeRow]:
    """Read what a queryset finds as rows."""
    texts = [Cast(name, TextField()) for name in ("lock", "file_rules")]
    return [NodeRow._make(values) for values in nodes.values_list(*NodeRow._fields[:-2], *texts)]


def fetch_all(sql: str, parameters: Any) -> list[Any]:
    """Run a statement that the server keeps ready and give its rows."""
    with db.prepared_cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def fetch_page(sql: str, parameters: Any) -> list[Any]:
    """Run a statement whose best plan depends on its parameters, as a page's does on their limit, and give its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def fetch_one(sql: str, parameters: Any) -> Any:
    """Run a statement that the server keeps ready and give its first row, if there is one."""
    with db.prepared_cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()


def execute(sql: str, parameters: Any) -> int:
    """Run a statement that the server keeps ready and tell how many rows it touched."""
    with db.prepared_cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def require_revision(row: NodeRow, expected: ExpectedRevision) -> int | None:
    """Refuse a node that is not as the caller has read it; returns the revision that the write must still find, ``None`` for any.

    :raises RevisionMismatch: it has moved on.
    """
    if expected == "any":
        return None
    if not is_expected(row.revision, expected):
        raise errors.RevisionMismatch(revision=row.revision)
    return row.revision


def require_row(row: Any) -> Any:
    """Give a row that must be there for the caller.

    :raises NotFound: it is not.
    """
    if row is None:
        raise NotFound
    return row
