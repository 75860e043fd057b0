"""Doors of team folders: roots of the whole tenant, which its owners and administrators make and manage."""

from uuid import UUID

from apps.files import teams
from apps.files.dtos import TeamFolder, TeamFolders
from apps.files.operations import teams as operations
from bitvault.kernel import names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.kernel.revisions import ExpectedRevision


@exposed
def list_team_folders(*, actor: Actor, ended: bool = False) -> Page[TeamFolder]:
    """List the team folders that the actor reaches, by name; or those that have ended, which only administrators still know of.

    There are a hundred live ones at most, so they come in one page.
    """
    actor.require_scope(Scope.FILES_READ)
    return Page(teams.list_folders(actor, ended=ended))


@exposed
def open_team_folders(*, actor: Actor) -> TeamFolders:
    """Read what the page of team folders shows, in one transaction."""
    actor.require_scope(Scope.FILES_READ)
    return teams.open_folders(actor)


@exposed
def get_team_folder(*, actor: Actor, folder_id: UUID) -> TeamFolder:
    """Read one team folder."""
    actor.require_scope(Scope.FILES_READ)
    return teams.get_folder(actor, folder_id)


@exposed
def create_team_folder(*, actor: Actor, name: str) -> TeamFolder:
    """Make a team folder. It is opened to people by sharing it, as any node is.

    :raises PermissionMissing: the actor does not manage team folders.
    :raises InvalidName: the name cannot be used.
    :raises NameTaken: a live team folder has a name with the same key.
    :raises TooManyTeamFolders: the limit would be passed.
    """
    _require_administration(actor)
    actor.require_permission(Permission.MANAGE_TEAM_FOLDERS)
    return operations.create(actor=actor, name=names.parse(name))


@exposed
def rename_team_folder(*, actor: Actor, folder_id: UUID, name: str, expected_revision: ExpectedRevision) -> TeamFolder:
    """Give a team folder another name.

    Asking for what holds already changes nothing, makes no event and answers with the folder as it is.

    :raises PreconditionRequired, RevisionMismatch: as for nodes.
    :raises InvalidName, NameTaken: as when it is made.
    """
    _require_administration(actor)
    return operations.rename(
        actor=actor, folder_id=folder_id, name=names.parse(name), expected_revision=expected_revision
    )


@exposed
def end_team_folder(*, actor: Actor, folder_id: UUID, expected_revision: ExpectedRevision = "any") -> None:
    """End a team folder: with all that is in it, it is out of everybody's sight for 30 days, and then deleted for ever.

    Until then an administrator brings it back (``restore_team_folder``), or deletes it at once (``purge_node``).

    :raises RevisionMismatch: it has moved on since ``expected_revision``.
    """
    _require_administration(actor)
    operations.end(actor=actor, folder_id=folder_id, expected_revision=expected_revision)


@exposed
def restore_team_folder(*, actor: Actor, folder_id: UUID, name: str | None = None) -> TeamFolder:
    """Bring back a team folder that has ended, with all that was in it and the shares that it had; under ``name`` if one is given.

    :raises NameTaken: a live team folder has a name with the same key.
    :raises InvalidName, TooManyTeamFolders: as when it is made.
    """
    _require_administration(actor)
    parsed = names.parse(name) if name is not None else None
    return operations.restore(actor=actor, folder_id=folder_id, name=parsed)


def _require_administration(actor: Actor) -> None:
    """Refuse a token that was not made for administering; what its holder may do is told by the folder."""
    actor.require_scope(Scope.FILES_WRITE)
    actor.require_scope(Scope.ADMIN)
