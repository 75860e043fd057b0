"""Doors of team folders: roots of the whole tenant, which its owners and administrators make and manage."""

from collections.abc import Sequence
from uuid import UUID

from apps.files import errors, teams
from apps.files.dtos import EveryoneRight, ExpectedRevision, TeamFolder, TeamFolders, TeamGrant, TeamMember
from apps.files.operations import teams as operations
from bitvault.kernel import names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import Page


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
def list_team_members(*, actor: Actor, folder_id: UUID) -> Page[TeamMember]:
    """List the people on the list of a team folder, by name: whoever sees the folder sees with whom. Former members are left out."""
    actor.require_scope(Scope.FILES_READ)
    return Page(teams.list_members(actor, folder_id))


@exposed
def create_team_folder(
    *, actor: Actor, name: str, everyone: EveryoneRight = "none", members: Sequence[TeamGrant] = ()
) -> TeamFolder:
    """Make a team folder for the people on a list, for every member of the tenant, or both: each has the stronger right of the two.

    :raises AdministratorsOnly: the actor does not administer the tenant.
    :raises InvalidName: the name cannot be used.
    :raises NameTaken: a live team folder has a name with the same key.
    :raises NotAMember: somebody on the list is no member of the tenant.
    :raises TooManyTeamFolders, TooManyTeamMembers: a limit would be passed.
    """
    _require_administration(actor)
    if not actor.administers:
        raise errors.AdministratorsOnly
    grants = teams.read_grants(actor, members)
    return operations.create(actor=actor, name=names.parse(name), everyone=everyone, grants=grants)


@exposed
def update_team_folder(
    *,
    actor: Actor,
    folder_id: UUID,
    name: str | None = None,
    everyone: EveryoneRight | None = None,
    members: Sequence[TeamGrant] | None = None,
    expected_revision: ExpectedRevision,
) -> TeamFolder:
    """Give a team folder another name, another right for everyone, or another list; ``members`` is the whole list from now on.

    Asking for what holds already changes nothing, makes no event and answers with the folder as it is.

    :raises NothingToChange: nothing is given.
    :raises PreconditionRequired, RevisionMismatch: as for nodes; a change of the list is a change of the folder.
    :raises InvalidName, NameTaken, NotAMember, TooManyTeamMembers: as when it is made.
    """
    _require_administration(actor)
    if name is None and everyone is None and members is None:
        raise errors.NothingToChange("Say what should change: name, everyone or members.")
    parsed = names.parse(name) if name is not None else None
    teams.require_managed(
        actor, folder_id
    )  # before the list is looked at: who belongs to the tenant is not everybody's business
    return operations.update(
        actor=actor,
        folder_id=folder_id,
        name=parsed,
        everyone=everyone,
        grants=teams.read_grants(actor, members) if members is not None else None,
        expected_revision=expected_revision,
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
    """Bring back a team folder that has ended, with all that was in it and the list that it had; under ``name`` if one is given.

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
