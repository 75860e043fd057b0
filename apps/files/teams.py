"""Team folders: reading them with their lists. Rights in them are judged in ``access``, like everywhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from apps.files import access, errors, limits
from apps.files.access import Right
from apps.files.dtos import EveryoneRight, TeamFolder, TeamFolders, TeamGrant, TeamMember, TeamRight
from apps.files.rows import NodeRow, Way, columns_for_asker, fetch_all, fetch_one, find_way
from apps.identity import api as identity
from bitvault.kernel import db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import Denied, NotFound

RIGHTS: Mapping[TeamRight, Right] = {"viewer": Right.VIEW, "editor": Right.EDIT}
_NAMES: Mapping[int, TeamRight] = {int(right): name for name, right in RIGHTS.items()}

_FOLDERS = f"""
SELECT {columns_for_asker("node")}, node.everyone_right, entry.expires_at,
    (SELECT count(*) FROM files_team_member listed WHERE listed.folder_id = node.id)
FROM files_node node LEFT JOIN files_trash entry ON entry.node_id = node.id
WHERE node.everyone_right IS NOT NULL AND entry.purging IS NOT TRUE
"""
_LIVE = f"{_FOLDERS} AND node.trashed_at IS NULL ORDER BY node.sort_key, node.id"
_ENDED = f"{_FOLDERS} AND node.trashed_at IS NOT NULL ORDER BY node.trashed_at DESC, node.id"
_ONE = f"{_FOLDERS} AND node.id = %(folder_id)s"

_LISTED = "SELECT user_id, granted_right, granted_at FROM files_team_member WHERE folder_id = %s ORDER BY user_id"


class Listed(NamedTuple):
    """A row of a team folder's list."""

    user_id: UUID
    granted_right: int
    granted_at: datetime


def name_right(right: int) -> TeamRight:
    """Name a right that somebody on a list has."""
    return _NAMES[right]


def name_everyone(right: int) -> EveryoneRight:
    """Name what everyone may do."""
    return _NAMES[right] if right else "none"


def right_of_everyone(name: EveryoneRight) -> int:
    """Give the right that a word for everyone stands for."""
    return 0 if name == "none" else int(RIGHTS[name])


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
    if ended and not actor.administers:
        return []
    found = [_to_folder(actor, row) for row in fetch_all(_ENDED if ended else _LIVE, {"user_id": actor.user_id})]
    return [folder for folder in found if folder.rights]


def get_folder(actor: Actor, folder_id: UUID) -> TeamFolder:
    """Read a live team folder; for who administers the tenant, one that has ended too."""
    with db.read_transaction():
        return read_folder(actor, folder_id)


def read_folder(actor: Actor, folder_id: UUID) -> TeamFolder:
    """Read a team folder as the actor may see it, inside the open transaction.

    :raises NotFound: there is none of this id that the actor may know of.
    """
    row = fetch_one(_ONE, {"user_id": actor.user_id, "folder_id": folder_id})
    folder = _to_folder(actor, row) if row is not None else None
    if folder is None or not folder.rights:
        raise NotFound().about(Denied(node_id=folder.id) if folder is not None and folder.ended_at is None else None)
    return folder


def _to_folder(actor: Actor, row: Sequence[Any]) -> TeamFolder:
    *values, everyone_right, expires_at, member_count = row
    node = NodeRow._make(values)
    right = access.find_right(actor, Way([node])) if node.is_root else access.find_right_in_ended(actor)
    return TeamFolder(
        id=node.id,
        name=node.name,
        revision=node.revision,
        everyone=name_everyone(everyone_right),
        member_count=member_count,
        created_at=node.created_at,
        created_by=node.created_by,
        ended_at=node.trashed_at,
        expires_at=expires_at,
        rights=access.names_up_to(right) if right is not None else (),
    )


def require_folder(actor: Actor, folder_id: UUID, right: Right) -> Way:
    """Find a live team folder, inside the open transaction.

    :raises NotFound: there is none of this id that the actor may know of.
    :raises Forbidden: the actor lacks ``right`` there.
    """
    way = find_way(folder_id, user_id=actor.user_id)
    if way is None or not way.node.is_team_folder:
        raise NotFound
    return access.require_right(actor, way, right)


def require_managed(actor: Actor, folder_id: UUID) -> None:
    """Refuse who may not manage a live team folder.

    :raises NotFound, Forbidden: as ``require_folder``.
    """
    with db.read_transaction():
        require_folder(actor, folder_id, Right.MANAGE)


def list_members(actor: Actor, folder_id: UUID) -> list[TeamMember]:
    """Read the list of a live team folder, by name; who is no member of the tenant any more is left out."""
    with db.read_transaction():
        require_folder(actor, folder_id, Right.VIEW)
        listed = {one.user_id: one for one in read_list(folder_id)}
    return [
        TeamMember(
            user_id=member.user.id,
            right=name_right(listed[member.user.id].granted_right),
            name=member.user.name,
            email=member.user.email,
            granted_at=listed[member.user.id].granted_at,
        )
        for member in identity.find_members(tenant=actor.tenant, user_ids=listed.keys())
    ]


def read_grants(actor: Actor, members: Sequence[TeamGrant]) -> dict[UUID, TeamRight]:
    """Give a list that can be kept; who stands on it twice has the right named last.

    :raises NotAMember: somebody is no member of the tenant.
    :raises TooManyTeamMembers: the list is too long.
    """
    grants = {grant.user_id: grant.right for grant in members}
    if len(grants) > limits.TEAM_MEMBER_LIMIT:
        raise errors.TooManyTeamMembers(limit=limits.TEAM_MEMBER_LIMIT)
    known = {member.user.id for member in identity.find_members(tenant=actor.tenant, user_ids=grants.keys())}
    for user_id in grants:
        if user_id not in known:
            raise errors.NotAMember(user_id=user_id)
    return grants


def read_list(folder_id: UUID) -> list[Listed]:
    """Read the list of a team folder, inside the open transaction."""
    return [Listed._make(row) for row in fetch_all(_LISTED, [folder_id])]
