"""Team folders: made, renamed, opened to people, ended and brought back, under the tree lock like everything that shapes the tree.

A team folder is a root of the tenant's own. Ended, it lies in the trash with all that is in it: no byte is lost that a person has not
been given the time to ask for, and it expires as everything there does. Its list stays, so it comes back as it was.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from apps.files import access, errors, limits, teams
from apps.files.access import Right
from apps.files.dtos import EveryoneRight, ExpectedRevision, TeamFolder, TeamRight
from apps.files.models import Kind
from apps.files.operations.trash import cut_off
from apps.files.rows import NodeRow, execute, fetch_all, fetch_one, find_way, require_revision
from apps.files.tree import INSERT_TEAM_FOLDER, node_parameters, tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import FolderCreated, GrantedRight, NodeMoved, NodeRestored, TeamAccessChanged
from bitvault.kernel import clock, ids, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound, PreconditionRequired
from bitvault.kernel.names import Name

Grants = Mapping[UUID, TeamRight]
"""Who is to stand on a list, and with which right."""

_LIVE = "SELECT id, name, name_key FROM files_node WHERE everyone_right IS NOT NULL AND trashed_at IS NULL"

_CHANGE = """
UPDATE files_node SET
    name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s, sort_key = %(sort_key)s, everyone_right = %(everyone_right)s,
    revision = revision + 1
WHERE id = %(id)s RETURNING revision
"""

_LIST = """
INSERT INTO files_team_member (folder_id, user_id, granted_right, granted_at)
SELECT %(folder_id)s, told.user_id, told.granted_right, %(now)s
FROM unnest(%(user_ids)s::uuid[], %(rights)s::smallint[]) AS told(user_id, granted_right)
ON CONFLICT (folder_id, user_id) DO UPDATE SET granted_right = excluded.granted_right, granted_at = excluded.granted_at
"""

_STRIKE = "DELETE FROM files_team_member WHERE folder_id = %s AND user_id = ANY(%s::uuid[])"

_RESTORE = """
WITH dropped AS (DELETE FROM files_trash WHERE node_id = %(id)s AND NOT purging RETURNING node_id)
UPDATE files_node SET
    trashed_at = NULL, name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s, sort_key = %(sort_key)s,
    revision = revision + 1
FROM dropped WHERE files_node.id = dropped.node_id RETURNING revision
"""


def create(*, actor: Actor, name: Name, everyone: EveryoneRight, grants: Grants) -> TeamFolder:
    """Make a team folder with its list."""
    node_id, now = ids.new_id(), clock.now()
    values = node_parameters(node_id=node_id, kind=Kind.FOLDER, name=name, created_by=actor.user_id, now=now)
    with tree_transaction() as tx:
        _require_place(name)
        row = fetch_one(INSERT_TEAM_FOLDER, {**values, "everyone_right": teams.right_of_everyone(everyone)})
        made = NodeRow._make(row)
        publish(
            FolderCreated(
                actor_id=actor.user_id,
                node_id=made.id,
                parent_id=None,
                name=made.name,
                revision=made.revision,
                created_at=made.created_at,
            )
        )
        _write_list(actor, made.id, made.revision, everyone, {}, grants, now)
        return tx.answer(teams.read_folder(actor, made.id))


def update(
    *,
    actor: Actor,
    folder_id: UUID,
    name: Name | None,
    everyone: EveryoneRight | None,
    grants: Grants | None,
    expected_revision: ExpectedRevision,
) -> TeamFolder:
    """Give a team folder another name, another word for everyone, another list, or several at once."""
    if expected_revision is None:
        raise PreconditionRequired
    now = clock.now()
    with tree_transaction() as tx:
        node = teams.require_folder(actor, folder_id, Right.MANAGE).node
        present = teams.read_folder(actor, folder_id)
        listed = {one.user_id: teams.name_right(one.granted_right) for one in teams.read_list(folder_id)}
        to_name = name or names.of_stored(present.name)
        to_everyone = everyone or present.everyone
        to_grants = listed if grants is None else grants
        renamed = to_name.text != present.name
        opened = (to_everyone, to_grants) != (present.everyone, listed)
        if not renamed and not opened:
            return tx.answer(
                present
            )  # what was asked for holds already: by this very request, when its answer was lost
        require_revision(node, expected_revision)
        if renamed:
            _require_free(to_name, folder_id)
        values = {**_name_values(to_name), "id": folder_id, "everyone_right": teams.right_of_everyone(to_everyone)}
        (revision,) = fetch_one(_CHANGE, values)
        if renamed:
            publish(
                NodeMoved(
                    actor_id=actor.user_id,
                    node_id=folder_id,
                    kind="folder",
                    parent_id=None,
                    old_parent_id=None,
                    name=to_name.text,
                    old_name=present.name,
                    revision=revision,
                )
            )
        if opened:
            _write_list(actor, folder_id, revision, to_everyone, listed, to_grants, now)
        return tx.answer(teams.read_folder(actor, folder_id))


def end(*, actor: Actor, folder_id: UUID, expected_revision: ExpectedRevision) -> None:
    """Put a whole team folder into the trash, where only who administers the tenant finds it."""
    with tree_transaction(holds_commits=True):
        cut_off(actor, teams.require_folder(actor, folder_id, Right.MANAGE), expected_revision)


def restore(*, actor: Actor, folder_id: UUID, name: Name | None) -> TeamFolder:
    """Bring an ended team folder back, with all that is in it and the list that it had."""
    with tree_transaction() as tx:
        way = access.require_ended_team_folder(actor, find_way(folder_id, user_id=actor.user_id))
        to_name = name or names.of_stored(way.node.name)
        _require_place(to_name)
        row = fetch_one(_RESTORE, {**_name_values(to_name), "id": way.node.id})
        if row is None:  # its purge has begun
            raise NotFound
        publish(
            NodeRestored(
                actor_id=actor.user_id,
                node_id=folder_id,
                kind="folder",
                parent_id=None,
                name=to_name.text,
                revision=row[0],
            )
        )
        return tx.answer(teams.read_folder(actor, folder_id))


def _require_place(name: Name) -> None:
    """Refuse one team folder too many, or a second one of a name.

    :raises TooManyTeamFolders: the tenant has as many as it can.
    :raises NameTaken: a live one has a name with the same key.
    """
    if _require_free(name, None) >= limits.TEAM_FOLDER_LIMIT:
        raise errors.TooManyTeamFolders(limit=limits.TEAM_FOLDER_LIMIT)


def _require_free(name: Name, folder_id: UUID | None) -> int:
    live = fetch_all(_LIVE, [])
    for node_id, text, key in live:
        if key == name.key and node_id != folder_id:
            raise errors.NameTaken(
                f"There is a team folder “{text}” already.", node_id=node_id, kind="folder", name=text
            )
    return len(live)


def _write_list(
    actor: Actor,
    folder_id: UUID,
    revision: int,
    everyone: EveryoneRight,
    before: Grants,
    after: Grants,
    now: datetime,
) -> None:
    """Bring a list from one state to another, and tell what has become different."""
    told = {user_id: right for user_id, right in after.items() if before.get(user_id) != right}
    struck = [user_id for user_id in before if user_id not in after]
    if told:
        rights = [int(teams.RIGHTS[right]) for right in told.values()]
        execute(_LIST, {"folder_id": folder_id, "user_ids": list(told), "rights": rights, "now": now})
    if struck:
        execute(_STRIKE, [folder_id, struck])
    changed: dict[UUID, GrantedRight] = {**told, **dict.fromkeys(struck, "none")}
    publish(
        TeamAccessChanged(
            actor_id=actor.user_id,
            node_id=folder_id,
            revision=revision,
            everyone=everyone,
            user_ids=sorted(changed),
            rights=[changed[user_id] for user_id in sorted(changed)],
        )
    )


def _name_values(name: Name) -> dict[str, object]:
    return {"name": name.text, "name_key": name.key, "key_version": names.KEY_VERSION, "sort_key": name.sort_key}
