"""The doors of a file's versions: what it held before, and the way back to that."""

from uuid import UUID

from apps.files import versions
from apps.files.dtos import Node
from apps.files.dtos.history import ExpiryPreview
from apps.files.dtos.versions import Version
from apps.files.operations import expiring
from apps.files.operations import versions as operations
from apps.files.operations.thinning import Rules
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission


@exposed
def list_versions(
    *, actor: Actor, node_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[Version]:
    """Read a page of a live file's versions, newest first; the first one of the first page is the current one.

    :raises NotAFile: the node is a folder.
    :raises BadCursor: the cursor is of another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return versions.list_versions(actor, node_id, limit=limit, cursor=cursor)


@exposed
def get_version(*, actor: Actor, node_id: UUID, version_id: UUID) -> Version:
    """Read one version of a live file.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return versions.get_version(actor, node_id, version_id)


@exposed
def update_version(
    *, actor: Actor, node_id: UUID, version_id: UUID, label: str | None = None, pinned: bool | None = None
) -> Version:
    """Give a version another label (an empty one takes it away), or pin or unpin it. What holds already changes nothing.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_WRITE)
    version, current_id = operations.describe(
        actor=actor, node_id=node_id, version_id=version_id, label=label, pinned=pinned
    )
    return versions.to_versions(actor, [version], current_id=current_id)[0]


@exposed
def restore_version(*, actor: Actor, node_id: UUID, version_id: UUID, restore_id: UUID, made_on: str) -> Node:
    """Make a new version of an older one's content, in one transaction with its event; no bytes move, and nothing is lost.

    Repeatable by ``restore_id``. It takes room like any version: whoever calls has reserved that.

    :raises NotAFile: the node is a folder.
    :raises NothingToRestore: the file holds these bytes now.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return operations.restore(
        actor=actor, node_id=node_id, version_id=version_id, restore_id=restore_id, made_on=made_on
    )


@exposed
def delete_version(*, actor: Actor, node_id: UUID, version_id: UUID) -> None:
    """Delete an older version permanently; its room goes back to the quota.

    :raises NotAFile: the node is a folder.
    :raises VersionIsCurrent: it is the file's content.
    :raises VersionPinned: somebody wants it kept.
    """
    actor.require_scope(Scope.FILES_WRITE)
    operations.delete(actor=actor, node_id=node_id, version_id=version_id)


@exposed
def request_version_expiry() -> bool:
    """Ask for the job that deletes older versions which rules of the entered tenant give up, if there are any; tells whether it did."""
    return expiring.request()


@exposed
def preview_version_expiry(
    *, actor: Actor, keep_count: int | None = None, keep_days: int | None = None, thinning: bool = False
) -> ExpiryPreview:
    """Count the earlier versions that rules would delete by now, for who manages the settings; nothing is changed.

    Whatever locks, holds, retention rules and the trash keep is left out, wherever it lies: a number tells nothing of it. After some
    seconds the count ends where it is.
    """
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_SETTINGS)
    return expiring.preview(Rules(keep_count=keep_count, keep_days=keep_days, thinning=thinning))
