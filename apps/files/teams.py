"""Team folders: reading them. Rights in them are judged in ``access``, like everywhere."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.files import access
from apps.files.dtos import TeamFolder, TeamFolders
from apps.files.rows import NodeRow, Way, fetch_all, fetch_one, find_way
from apps.files.sql.pages import ENDED_TEAM_FOLDERS, LIVE_TEAM_FOLDERS, TEAM_FOLDER
from bitvault.kernel import db
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability, names_of
from bitvault.kernel.errors import Denied, NotFound
from bitvault.kernel.permissions import Permission


def list_folders(actor: Actor, *, ended: bool) -> list[TeamFolder]:
    """List the team folders that the actor reaches, by name; or, for who administers the tenant, those that have ended, latest first."""
    with db.read_transaction():
        return read_folders(actor, ended=ended)


def open_folders(actor: Actor) -> TeamFolders:
    """List both kinds, in one transaction."""
    with db.read_transaction():
        return TeamFolders(read_folders(actor, ended=False), read_folders(actor, ended=True))


def read_folders(actor: Actor, *, ended: bool) -> list[TeamFolder]:
    """List team folders inside the open transaction; see ``list_folders``."""
    if ended and not actor.may(Permission.MANAGE_TEAM_FOLDERS):
        return []
    found = [_to_folder(actor, row) for row in fetch_all(ENDED_TEAM_FOLDERS if ended else LIVE_TEAM_FOLDERS, {})]
    return [folder for folder in found if "view" in folder.capabilities]


def get_folder(actor: Actor, folder_id: UUID) -> TeamFolder:
    """Read a live team folder; for who administers the tenant, one that has ended too."""
    with db.read_transaction():
        return read_folder(actor, folder_id)


def read_folder(actor: Actor, folder_id: UUID) -> TeamFolder:
    """Read a team folder as the actor may see it, inside the open transaction.

    :raises NotFound: there is none of this id that the actor may know of.
    """
    row = fetch_one(TEAM_FOLDER, {"folder_id": folder_id})
    folder = _to_folder(actor, row) if row is not None else None
    if folder is None or not folder.capabilities:
        raise NotFound().about(Denied(node_id=folder.id) if folder is not None and folder.ended_at is None else None)
    return folder


def _to_folder(actor: Actor, row: Sequence[Any]) -> TeamFolder:
    *values, expires_at = row
    node = NodeRow._make(values)
    mask = access.find_mask(actor, Way([node])) if node.is_root else access.find_mask_of_ended(actor)
    return TeamFolder(
        id=node.id,
        name=node.name,
        revision=node.revision,
        created_at=node.created_at,
        created_by=node.created_by,
        ended_at=node.trashed_at,
        expires_at=expires_at,
        capabilities=names_of(mask),
    )


def require_folder(actor: Actor, folder_id: UUID, capability: Capability) -> Way:
    """Find a live team folder, inside the open transaction.

    :raises NotFound: there is none of this id that the actor may know of.
    :raises Forbidden: the actor lacks ``capability`` there.
    """
    way = find_way(folder_id, actor)
    if way is None or not way.node.is_team_folder:
        raise NotFound
    return access.require(actor, way, capability)
