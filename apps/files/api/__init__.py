"""The door of files and folders: what other modules, pages and the REST surface may ask of it.

A node that the caller may not know of is not found, with the same answer as one that never was: ``NotFound`` is a possible answer of
every door that takes an id, and ``Forbidden`` of every one that changes something. Wherever a ``node_id`` may be ``root``, it is the
caller's own personal root, made when it is first asked for.

Reading, structure and content stand here; team folders and the trash in files of their own beside it.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from apps.files import access, listing, queries
from apps.files.api import children
from apps.files.api.ancestry import find_keeper, find_name, get_ancestry, list_ancestries
from apps.files.api.content import (
    authorise_upload,
    authorise_uploads,
    commit_upload,
    commit_uploads,
    find_all_committed,
    find_committed,
    find_held_blobs,
    find_readable_blob,
    find_readable_blobs,
    get_content,
    give_up_upload,
    is_committed,
    open_content,
)
from apps.files.api.folders import ensure_folder
from apps.files.api.locks import lock_node, sweep_locks, unlock_node
from apps.files.api.teams import (
    create_team_folder,
    end_team_folder,
    get_team_folder,
    list_team_folders,
    open_team_folders,
    rename_team_folder,
    restore_team_folder,
)
from apps.files.api.trash import (
    empty_trash,
    find_trash_cursor,
    find_trash_index,
    find_trashed,
    list_trash,
    open_trash,
    purge_expired,
    purge_node,
    rekey_names,
    request_due_purge,
    restore_node,
    restore_nodes,
    trash_node,
)
from apps.files.api.versions import delete_version, get_version, list_versions, restore_version, update_version
from apps.files.dtos import (
    AppliedPage,
    Children,
    ChildrenAction,
    FoundNode,
    Node,
    NodeRef,
    OpenedFolder,
    OrderName,
    Path,
    ReachableRoot,
    SortName,
    StoredBytes,
    TreeRows,
    VersionRows,
)
from apps.files.errors import NothingToChange
from apps.files.operations import structure
from apps.files.rows import Way
from bitvault.kernel import clock, names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.kernel.revisions import ExpectedRevision

__all__ = [
    "authorise_upload",
    "authorise_uploads",
    "commit_upload",
    "commit_uploads",
    "count_stored_bytes",
    "create_folder",
    "create_team_folder",
    "delete_version",
    "empty_trash",
    "end_team_folder",
    "ensure_folder",
    "ensure_personal_root",
    "find_all_committed",
    "find_by_path",
    "find_committed",
    "find_held_blobs",
    "find_keeper",
    "find_name",
    "find_readable_blob",
    "find_readable_blobs",
    "find_trash_cursor",
    "find_trash_index",
    "find_trashed",
    "find_visible",
    "get_ancestry",
    "get_content",
    "get_node",
    "get_team_folder",
    "get_version",
    "give_up_upload",
    "is_committed",
    "list_ancestries",
    "list_children",
    "list_path",
    "list_reachable_roots",
    "list_team_folders",
    "list_trash",
    "list_tree_rows",
    "list_version_rows",
    "list_versions",
    "lock_node",
    "open_content",
    "open_folder",
    "open_team_folders",
    "open_trash",
    "purge_expired",
    "purge_node",
    "rekey_names",
    "rename_team_folder",
    "request_due_purge",
    "restore_node",
    "restore_nodes",
    "restore_team_folder",
    "restore_version",
    "sweep_locks",
    "trash_node",
    "unlock_node",
    "update_node",
    "update_version",
]

T = TypeVar("T")

# --- reading ---------------------------------------------------------------------------------------------------------------


@exposed
def find_visible(*, actor: Actor, node_ids: Collection[UUID], roots: bool = False) -> dict[UUID, FoundNode]:
    """Read those of some nodes that are live and that the actor may see at this moment, each with the way to it.

    :param roots: personal roots too, which nobody looks for.
    """
    actor.require_scope(Scope.FILES_READ)
    return queries.find_visible(actor, node_ids, roots=roots)


@exposed
def get_node(*, actor: Actor, node_id: NodeRef) -> Node:
    """Read one live node."""
    actor.require_scope(Scope.FILES_READ)
    return _with_root(actor, node_id, lambda: queries.get_node(actor, node_id))


@exposed
def find_by_path(*, actor: Actor, path: str, root_id: NodeRef = "root") -> Node:
    """Read the node at a path under a root: ``/`` is the root itself. Each name is matched by its key.

    :raises InvalidPath, InvalidName, PathTooLong, TooDeep: no node can have such a path.
    """
    actor.require_scope(Scope.FILES_READ)
    missing = root_id if path == "/" else None
    return _with_root(actor, missing, lambda: queries.find_by_path(actor, path, root_id))


@exposed
def list_path(*, actor: Actor, node_id: NodeRef) -> Path:
    """Read the nodes from the root down to one, both included."""
    actor.require_scope(Scope.FILES_READ)
    return _with_root(actor, node_id, lambda: queries.list_path(actor, node_id))


@exposed
def list_children(
    *,
    actor: Actor,
    node_id: NodeRef,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
    sort: SortName = "name",
    order: OrderName = "asc",
) -> Children:
    """Read a page of what lies in a folder, folders first in both directions. A cursor belongs to one folder, sort and order.

    While others add, rename and remove, a node that stays as it is appears exactly once over all pages.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    :raises NotAFolder: the node is a file.
    """
    actor.require_scope(Scope.FILES_READ)
    return _with_root(
        actor,
        node_id,
        lambda: listing.list_children(actor, node_id, limit=limit, cursor=cursor, sort=sort, order=order),
    )


@exposed
def open_folder(
    *, actor: Actor, node_id: NodeRef, limit: int = PAGE_DEFAULT, sort: SortName = "name", order: OrderName = "asc"
) -> OpenedFolder:
    """Read what a page of a folder shows: the path to it and the first children, in one transaction; of a file, the path alone.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    """
    actor.require_scope(Scope.FILES_READ)
    return _with_root(actor, node_id, lambda: listing.open_folder(actor, node_id, limit=limit, sort=sort, order=order))


@exposed
def find_cursor(
    *, actor: Actor, node_id: NodeRef, at: int, sort: SortName = "name", order: OrderName = "asc"
) -> str | None:
    """Make the cursor with which ``list_children`` goes on at an index, counted from 0; ``None``: from the start, or past the end.

    :raises NotAFolder: the node is a file.
    """
    actor.require_scope(Scope.FILES_READ)
    return listing.find_cursor(actor, node_id, at=at, sort=sort, order=order)


@exposed
def find_index(
    *,
    actor: Actor,
    node_id: NodeRef,
    prefix: str,
    after: int = -1,
    sort: SortName = "name",
    order: OrderName = "asc",
) -> int | None:
    """Find the index of the next child behind ``after`` whose name begins with ``prefix``; from the start when none is behind.

    :raises NotAFolder: the node is a file.
    """
    actor.require_scope(Scope.FILES_READ)
    return listing.find_index(actor, node_id, prefix=prefix, after=after, sort=sort, order=order)


@exposed
def apply_to_children(
    *,
    actor: Actor,
    node_id: NodeRef,
    action: ChildrenAction,
    parent_id: UUID | None = None,
    except_ids: Collection[UUID] = (),
    only_ids: Collection[UUID] = (),
    cursor: str | None = None,
) -> AppliedPage:
    """Trash or move the children of a folder, apart from exceptions: as many as fit into one request, each in a transaction of its own.

    ``next_cursor`` goes on with the rest. A child that cannot be trashed or moved is told of and left as it is. With ``only_ids`` it is
    done to those that lie in the folder, and nothing is told of the others.

    :raises Invalid: ``only_ids`` together with ``except_ids`` or a cursor; a move that names no folder.
    :raises NotAFolder: the node, or the one to move to, is a file.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return children.apply(
        actor,
        node_id,
        action=action,
        parent_id=parent_id,
        except_ids=except_ids,
        only_ids=only_ids,
        cursor=cursor,
    )


@exposed
def list_nodes(*, actor: Actor, node_ids: Collection[UUID]) -> list[Node]:
    """Read those of some nodes that are live and that the actor may know of; the others are left out."""
    actor.require_scope(Scope.FILES_READ)
    return queries.list_nodes(actor, node_ids)


@exposed
def list_reachable_roots(*, actor: Actor) -> list[ReachableRoot]:
    """List the roots whose trees the actor may see now, with what they may do there."""
    actor.require_scope(Scope.FILES_READ)
    return queries.list_reachable_roots(actor)


@exposed
def list_tree_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> TreeRows:
    """Read nodes of the entered tenant in the order of their ids, for a derivation that is made anew.

    Each page is exact at its own number. Pages are of different instants: who reads the stream from the first page's number on, and
    applies to each node what is newer than its page, ends right.
    """
    return queries.list_tree_rows(after=after, limit=limit)


@exposed
def list_version_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> VersionRows:
    """Read versions of the entered tenant in the order of their ids, for a derivation that is made anew; pages as of ``list_tree_rows``."""
    return queries.list_version_rows(after=after, limit=limit)


@exposed
def count_stored_bytes() -> StoredBytes:
    """Add up what all versions of the entered tenant have, the trash included: what its quota should say."""
    return queries.count_stored_bytes()


# --- structure -------------------------------------------------------------------------------------------------------------


@exposed
def ensure_personal_root(*, actor: Actor) -> Node:
    """Find the actor's personal root; make it when it is not there yet."""
    return access.describe(actor, Way([structure.ensure_personal_root(actor)]))


@exposed
def create_folder(*, actor: Actor, parent_id: NodeRef, name: str, autorename: bool = False) -> Node:
    """Make a folder; with ``autorename`` a taken name becomes ``name (2)``.

    :raises InvalidName: the name cannot be used.
    :raises NameTaken: a live sibling has a name with the same key.
    :raises NotAFolder: the parent is a file.
    :raises TooDeep, PathTooLong, TooManyChildren: a limit would be passed.
    """
    actor.require_scope(Scope.FILES_WRITE)
    parsed = names.parse(name)
    return _with_root(
        actor,
        parent_id,
        lambda: structure.create_folder(actor=actor, parent_id=parent_id, name=parsed, autorename=autorename),
    )


@exposed
def update_node(
    *,
    actor: Actor,
    node_id: NodeRef,
    name: str | None = None,
    parent_id: UUID | None = None,
    autorename: bool = False,
    client_modified_at: datetime | None = None,
    expected_revision: ExpectedRevision,
) -> Node:
    """Give a node another name, another folder, both at once, or the time at which a device says that it changed.

    A name that differs only in case or spelling is a rename of the same node. With ``autorename`` a taken name becomes ``name (2)``. Asking
    for what holds already changes nothing, makes no event and answers with the node as it is, whatever its revision, so that a request
    whose answer was lost can be repeated.

    :raises NothingToChange: none of ``name``, ``parent_id`` and ``client_modified_at`` is given.
    :raises PreconditionRequired: ``expected_revision`` is ``None``; ``"any"`` is for a caller who does not care.
    :raises RevisionMismatch: the node has moved on since ``expected_revision``.
    :raises InvalidName, TypeRefused: the name cannot be used, or has an extension that the tenant does not let in.
    :raises NameTaken: a live sibling there has a name with the same key.
    :raises MoveCycle: the folder would come to lie in itself.
    :raises NotAFolder: ``parent_id`` is a file.
    :raises RootFixed: the node is a root.
    :raises TooDeep, PathTooLong, TooManyChildren: a limit would be passed, by the node or by anything below it.
    """
    actor.require_scope(Scope.FILES_WRITE)
    if name is None and parent_id is None and client_modified_at is None:
        raise NothingToChange("Say what should change: name, parent_id or client_modified_at.")
    parsed = names.parse(name) if name is not None else None
    return structure.move(
        actor=actor,
        node_id=node_id,
        name=parsed,
        parent_id=parent_id,
        autorename=autorename,
        client_modified_at=None if client_modified_at is None else clock.to_utc(client_modified_at),
        expected_revision=expected_revision,
    )


def _with_root(actor: Actor, node_id: NodeRef | None, act: Callable[[], T]) -> T:
    """Run ``act``; if it needs the actor's personal root and that is not there yet, make it and run it again."""
    try:
        return act()
    except NotFound:
        if node_id != "root":
            raise
    structure.ensure_personal_root(actor)
    return act()
