"""Changes of structure: one at a time in each tenant, judged and written under the tree lock.

Two rows are never enough to lock for a move (two moves that are each fine can close a circle together), and a chain of rows deadlocks;
one lock per tenant does neither (measured: 0 unreachable nodes and no retries, against 6 of 40 and 141 deadlocks).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from django.utils.translation import gettext_noop

from apps.files import errors, limits
from apps.files.models import Kind, Node
from apps.files.rows import NodeRow, Way, fetch_one, kind_name, name_bytes
from apps.files.sql.names import FREE_NUMBER
from apps.files.sql.nodes import INSERT_FILE, INSERT_FOLDER
from apps.files.sql.walks import EXTENT_BELOW
from bitvault.kernel import db, media_types, names
from bitvault.kernel.names import Name

_COMMITS = "commits"
"""Shared by commits of content, held alone by trashing."""

TAKEN_BY = {
    "file": gettext_noop("There is a file “%(name)s” here already."),
    "folder": gettext_noop("There is a folder “%(name)s” here already."),
}
"""What is said of a name that is taken, by the kind of the node that has it."""


@contextmanager
def tree_transaction(*, holds_commits: bool = False) -> Iterator[db.Transaction]:
    """Change the structure of the entered tenant's trees; nobody else does meanwhile.

    With ``holds_commits`` it waits for commits of content that have found their file live, and later ones wait for it: what takes something
    out of the live tree needs that, for an edit is before a deletion or after it, also where folders above are deleted.
    """
    with db.write_transaction(lock=("tree", _COMMITS) if holds_commits else "tree") as tx:
        yield tx


@contextmanager
def commit_transaction() -> Iterator[db.Transaction]:
    """Give a live file another version without the tree lock; what is live stays so meanwhile."""
    with db.write_transaction(shared_lock=_COMMITS) as tx:
        yield tx


def lock_row(node_id: UUID) -> None:
    """Hold a node's row to the end of the transaction; the next statement sees it as it is now."""
    list(Node.objects.filter(id=node_id).select_for_update(no_key=True).values_list("id"))


@dataclass(frozen=True, slots=True)
class Below:
    """What hangs below a node: levels, and the bytes that the longest path adds. Exact, or an upper bound."""

    levels: int = 0
    path_bytes: int = 0

    @classmethod
    def bound_of(cls, row: NodeRow) -> "Below":
        """Take the upper bounds that the row keeps."""
        return cls(row.levels_below_bound, row.path_bytes_below_bound)


NOTHING_BELOW = Below()


@dataclass(slots=True)
class Ancestor:
    """What a change does to one folder above it: children gained or lost, and what its bounds must reach."""

    added: int = 0
    levels: int = 0
    path_bytes: int = 0


class Ancestors(dict[UUID, Ancestor]):
    """All folders above that a change touches: usually just one, the parent."""

    def lose_child(self, parent_id: UUID) -> None:
        """One child fewer."""
        self.setdefault(parent_id, Ancestor()).added -= 1

    def gain_child(self, parent: Way, name: Name, below: Below) -> None:
        """Add a child of that name, with ``below`` under it, at the lower end of ``parent``; raise the bounds that it breaks."""
        self.setdefault(parent.node.id, Ancestor()).added += 1
        levels, path_bytes = below.levels + 1, below.path_bytes + name_bytes(name.text)
        for row in parent.rows:
            if levels > row.levels_below_bound or path_bytes > row.path_bytes_below_bound:
                present = self.setdefault(row.id, Ancestor())
                present.levels = max(present.levels, levels)
                present.path_bytes = max(present.path_bytes, path_bytes)
            levels, path_bytes = levels + 1, path_bytes + name_bytes(row.name)

    def parameters(self) -> dict[str, Any]:
        """Give what the statement ``COUNTED`` needs."""
        changes = list(self.values())
        return {
            "above_ids": list(self),
            "above_added": [change.added for change in changes],
            "above_levels": [change.levels for change in changes],
            "above_path_bytes": [change.path_bytes for change in changes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """The content that a new file starts with."""

    version_id: UUID
    blob_id: UUID
    upload_id: UUID
    size_bytes: int
    content_hash: str
    media_type: str
    client_modified_at: datetime | None
    base_version_id: UUID | None
    made_on: str
    restored_from_id: UUID | None


def node_parameters(*, node_id: UUID, kind: Kind, name: Name, created_by: UUID, now: datetime) -> dict[str, Any]:
    """Give the values of a new node that hangs from nothing yet."""
    return {
        "id": node_id,
        "kind": int(kind),
        "parent_id": None,
        "owner_user_id": None,
        "is_team_folder": False,
        "name": name.text,
        "name_key": name.key,
        "key_version": names.KEY_VERSION,
        "sort_key": name.sort_key,
        "version_id": None,
        "size_bytes": 0,
        "media_type": "",
        "content_hash": "",
        "client_modified_at": None,
        "created_by": created_by,
        "now": now,
    }


def rename_type(node: NodeRow, name: Name) -> str:
    """Tell the media type that a node has under another name; a folder has none."""
    if node.is_folder:
        return node.media_type
    return media_types.follow_rename(node.media_type, old_name=node.name, new_name=name.text)


def insert_folder(*, node_id: UUID, parent: Way, name: Name, created_by: UUID, now: datetime) -> NodeRow | None:
    """Put a new folder at the lower end of ``parent``; ``None`` when the name is taken there."""
    return _insert(INSERT_FOLDER, Kind.FOLDER, node_id, parent, name, created_by, now, {})


def insert_file(
    *, node_id: UUID, parent: Way, name: Name, content: FileContent, created_by: UUID, now: datetime
) -> NodeRow | None:
    """Put a new file with its first version at the lower end of ``parent``; ``None`` when the name is taken there."""
    return _insert(INSERT_FILE, Kind.FILE, node_id, parent, name, created_by, now, asdict(content))


def _insert(
    sql: str, kind: Kind, node_id: UUID, parent: Way, name: Name, created_by: UUID, now: datetime, more: dict[str, Any]
) -> NodeRow | None:
    require_room(parent, name, NOTHING_BELOW)
    above = Ancestors()
    above.gain_child(parent, name, NOTHING_BELOW)
    values = node_parameters(node_id=node_id, kind=kind, name=name, created_by=created_by, now=now)
    row = fetch_one(sql, {**values, **more, **above.parameters(), "parent_id": parent.node.id})
    return None if row is None else NodeRow._make(row)


def place(
    parent: Way, name: Name, put: Callable[[Name], NodeRow | None], *, autorename: bool, is_folder: bool
) -> NodeRow:
    """Run ``put`` with the name, or with a free variant of it.

    :raises NameTaken: the name is taken, and ``autorename`` does not allow another one.
    """
    row = put(name)
    if row is None and not autorename:
        refuse_taken(parent.node.id, name)
    while row is None:
        row = put(find_free_name(parent.node.id, name, is_folder=is_folder))
    return row


def refuse_taken(parent_id: UUID, name: Name) -> NoReturn:
    """Tell which node has the name.

    :raises NameTaken: always.
    """
    sibling = Node.objects.only("kind", "name").get(parent_id=parent_id, name_key=name.key)
    kind = kind_name(sibling.kind)
    raise errors.NameTaken(TAKEN_BY[kind], node_id=sibling.id, kind=kind, name=sibling.name)


def find_free_name(parent_id: UUID, name: Name, *, is_folder: bool) -> Name:
    """Find a free one of ``name (2)``, ``name (3)`` … in a folder: the first one, or where very many are taken one behind such a row.

    One statement of some 40 index look-ups at most, however many are taken.
    """
    prefixes, suffix = names.list_variant_keys(name, is_folder=is_folder)
    values = {"parent_id": parent_id, "prefixes": prefixes, "suffix": suffix}
    return names.numbered(name, fetch_one(FREE_NUMBER, values)[0], is_folder=is_folder)


def find_sibling(parent_id: UUID, key: str) -> tuple[UUID, int] | None:
    """Find the node of a folder that has a name with this key: its id and its kind."""
    return Node.objects.filter(parent_id=parent_id, name_key=key).values_list("id", "kind").first()


def require_folder(way: Way) -> Way:
    """Refuse to put something into a file.

    :raises NotAFolder: the node is one.
    """
    if not way.node.is_folder:
        raise errors.NotAFolder
    return way


def require_room(parent: Way, name: Name, below: Below, *, gains: int = 1) -> None:
    """Check the limits of a place: children, depth and length of path.

    :raises TooManyChildren: the folder is full.
    :raises TooDeep: something would lie deeper than the limit.
    :raises PathTooLong: some path would be longer than the limit.
    """
    if parent.node.child_count + gains > limits.CHILDREN_LIMIT:
        raise errors.TooManyChildren(limit=limits.CHILDREN_LIMIT)
    depth = parent.depth + 1 + below.levels
    if depth > limits.DEPTH_LIMIT:
        raise errors.TooDeep(limit=limits.DEPTH_LIMIT, depth=depth)
    size_bytes = parent.path_bytes + name_bytes(name.text) + below.path_bytes
    if size_bytes > limits.PATH_LIMIT_BYTES:
        raise errors.PathTooLong(limit_bytes=limits.PATH_LIMIT_BYTES, size_bytes=size_bytes)


def judge_place(node: NodeRow, parent: Way, name: Name, *, gains: int) -> Below:
    """Check the limits for a node with all that hangs below it; returns the bounds by which it passes.

    The bounds that the node keeps decide when they pass. Only when they do not are the exact figures counted.

    :raises TooManyChildren, TooDeep, PathTooLong: as ``require_room``.
    """
    bound = Below.bound_of(node)
    try:
        require_room(parent, name, bound, gains=gains)
    except (errors.TooDeep, errors.PathTooLong):
        if bound == NOTHING_BELOW:
            raise
        bound = Below(*fetch_one(EXTENT_BELOW, [node.id]))
        require_room(parent, name, bound, gains=gains)
    return bound
