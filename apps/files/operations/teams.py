"""Team folders: made, renamed, ended and brought back, under the tree lock like everything that shapes the tree.

A team folder is a root of the tenant's own. Ended, it lies in the trash with all that is in it: no byte is lost that a person has not
been given the time to ask for, and it expires as everything there does. Its shares stay with its node, so it comes back as it was.
"""

from uuid import UUID

from apps.files import access, errors, limits, locks, teams
from apps.files.dtos import TeamFolder
from apps.files.models import Kind, Node, Trash
from apps.files.operations.trash import cut_off
from apps.files.rows import NodeRow, fetch_one, find_way, require_revision
from apps.files.sql.nodes import INSERT_TEAM_FOLDER
from apps.files.tree import node_parameters, tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import FolderCreated, NodeMoved, NodeRestored
from bitvault.kernel import clock, ids, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import NotFound, PreconditionRequired
from bitvault.kernel.names import Name
from bitvault.kernel.revisions import ExpectedRevision


def create(*, actor: Actor, name: Name) -> TeamFolder:
    """Make a team folder; until it is shared, who administers the tenant sees it alone."""
    node_id, now = ids.new_id(), clock.now()
    values = node_parameters(node_id=node_id, kind=Kind.FOLDER, name=name, created_by=actor.user_id, now=now)
    with tree_transaction() as tx:
        _require_place(name)
        made = NodeRow._make(fetch_one(INSERT_TEAM_FOLDER, {**values, "is_team_folder": True}))
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
        return tx.answer(teams.read_folder(actor, made.id))


def rename(*, actor: Actor, folder_id: UUID, name: Name, expected_revision: ExpectedRevision) -> TeamFolder:
    """Give a team folder another name."""
    if expected_revision is None:
        raise PreconditionRequired
    with tree_transaction() as tx:
        way = teams.require_folder(actor, folder_id, Capability.MANAGE)
        node = way.node
        if name.text == node.name:
            # What was asked for holds already: by this very request, when its answer was lost.
            return tx.answer(teams.read_folder(actor, folder_id))
        locks.require_all_unlocked(actor, way)
        require_revision(node, expected_revision)
        _require_free(name, folder_id)
        Node.objects.filter(id=folder_id).update(**_name_values(name), revision=node.revision + 1)
        publish(
            NodeMoved(
                actor_id=actor.user_id,
                node_id=folder_id,
                kind="folder",
                parent_id=None,
                old_parent_id=None,
                name=name.text,
                old_name=node.name,
                revision=node.revision + 1,
            )
        )
        return tx.answer(teams.read_folder(actor, folder_id))


def end(*, actor: Actor, folder_id: UUID, expected_revision: ExpectedRevision) -> None:
    """Put a whole team folder into the trash, where only who administers the tenant finds it."""
    with tree_transaction(holds_commits=True):
        cut_off(actor, teams.require_folder(actor, folder_id, Capability.MANAGE), expected_revision)


def restore(*, actor: Actor, folder_id: UUID, name: Name | None) -> TeamFolder:
    """Bring an ended team folder back, with all that is in it and the shares that it had."""
    with tree_transaction() as tx:
        way = access.require_ended_team_folder(actor, find_way(folder_id, actor))
        to_name = name or names.of_stored(way.node.name)
        _require_place(to_name)
        dropped_count, _ = Trash.objects.filter(node_id=folder_id, purging=False).delete()
        if not dropped_count:  # its purge has begun
            raise NotFound
        revision = way.node.revision + 1
        Node.objects.filter(id=folder_id).update(**_name_values(to_name), trashed_at=None, revision=revision)
        publish(
            NodeRestored(
                actor_id=actor.user_id,
                node_id=folder_id,
                kind="folder",
                parent_id=None,
                name=to_name.text,
                revision=revision,
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
    live = Node.objects.filter(is_team_folder=True, trashed_at__isnull=True).values_list("id", "name", "name_key")
    for node_id, text, key in live:
        if key == name.key and node_id != folder_id:
            raise errors.NameTaken(
                "There is a team folder “%(name)s” already.", node_id=node_id, kind="folder", name=text
            )
    return len(live)


def _name_values(name: Name) -> dict[str, object]:
    return {"name": name.text, "name_key": name.key, "key_version": names.KEY_VERSION, "sort_key": name.sort_key}
