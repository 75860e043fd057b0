"""Shortcuts: rows in somebody's own tree that lead to what others share with them. Neither the tree nor rights know of them."""

from collections.abc import Iterable
from uuid import UUID

from apps.files import api as files
from apps.sharing import dtos, errors, listing
from apps.sharing.models import Shortcut
from bitvault.kernel import clock, db, ids, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.names import Name

LIMIT = 500
"""Shortcuts of one person: all are listed at once."""


def create(*, actor: Actor, folder_id: UUID, node_id: UUID, name: Name | None) -> dtos.Shortcut:
    """Put a shortcut into a folder; one that leads there already is given as it is, unless another name is wanted.

    Without a name it is called as the node, numbered where that is taken.

    :raises NotFound: there is no such folder or node that the actor may know of.
    :raises ShortcutUnfit: the folder is none of the actor's own tree, or the node lies in it.
    :raises ShortcutNameTaken: another shortcut in the folder has this name.
    :raises TooManyShortcuts: the actor has as many as one can have.
    """
    _require_place(actor, folder_id)
    target = files.get_ancestry(actor=actor, node_id=node_id)
    if target.owner_id == actor.user_id:
        raise errors.ShortcutUnfit(reason="own_node")
    wanted = name or names.of_stored(target.node.name)
    with db.write_transaction(lock=_lock_of(actor)):
        own = Shortcut.objects.filter(user_id=actor.user_id)
        present = own.filter(folder_id=folder_id, node_id=node_id).order_by("id").first()
        if present is not None and (name is None or name.key == present.name_key):
            return _to_shortcuts([present], {target.node.id: listing.to_shared_node(target.node)})[0]
        if own.count() >= LIMIT:
            raise errors.TooManyShortcuts(limit=LIMIT)
        taken = set(own.filter(folder_id=folder_id).values_list("name_key", flat=True))
        if name is not None and name.key in taken:
            raise errors.ShortcutNameTaken(name=name.text)
        free = _find_free(wanted, taken, is_folder=target.node.kind == "folder")
        row = Shortcut(
            id=ids.new_id(),
            user_id=actor.user_id,
            folder_id=folder_id,
            node_id=node_id,
            name=free.text,
            name_key=free.key,
            created_at=clock.now(),
        )
        row.save(force_insert=True)
    return _to_shortcuts([row], {target.node.id: listing.to_shared_node(target.node)})[0]


def update(*, actor: Actor, shortcut_id: UUID, name: Name | None, folder_id: UUID | None) -> dtos.Shortcut:
    """Give a shortcut another name, another folder of the actor's own tree, or both; what it leads to is not touched.

    :raises NotFound: the actor has no such shortcut, or there is no such folder.
    :raises ShortcutUnfit, ShortcutNameTaken: as ``create``.
    """
    if folder_id is not None:
        _require_place(actor, folder_id)
    with db.write_transaction(lock=_lock_of(actor)):
        row = _find_own(actor, shortcut_id)
        row.folder_id = folder_id or row.folder_id
        if name is not None:
            row.name, row.name_key = name.text, name.key
        others = Shortcut.objects.filter(user_id=actor.user_id, folder_id=row.folder_id, name_key=row.name_key)
        if others.exclude(id=row.id).exists():
            raise errors.ShortcutNameTaken(name=row.name)
        row.save(update_fields=["folder_id", "name", "name_key"])
    return _describe(actor, [row])[0]


def remove(*, actor: Actor, shortcut_id: UUID) -> None:
    """Remove a shortcut, whether or not it leads anywhere.

    :raises NotFound: the actor has no such shortcut.
    """
    with db.write_transaction(lock=_lock_of(actor)):
        _find_own(actor, shortcut_id).delete()


def list_own(actor: Actor, *, folder_id: UUID | None) -> list[dtos.Shortcut]:
    """List the actor's shortcuts by name, all or those of one folder.

    :raises NotFound: there is no such folder that the actor may know of.
    """
    if folder_id is not None:
        files.get_node(actor=actor, node_id=folder_id)
    with db.read_transaction():
        rows = Shortcut.objects.filter(user_id=actor.user_id)
        found = list(rows if folder_id is None else rows.filter(folder_id=folder_id))
    found.sort(key=lambda row: (names.sort_key_of(row.name), row.id))
    return _describe(actor, found)


def forget_folders(folder_ids: Iterable[UUID]) -> None:
    """Drop the shortcuts that lay in folders that are gone for ever, inside the open transaction."""
    Shortcut.objects.filter(folder_id__in=list(folder_ids)).delete()


def forget_person(user_id: UUID) -> None:
    """Drop the shortcuts of somebody who is not in the tenant any more: they were theirs alone."""
    with db.write_transaction():
        Shortcut.objects.filter(user_id=user_id).delete()


def _lock_of(actor: Actor) -> str:
    return f"sharing.shortcuts:{actor.user_id}"


def _require_place(actor: Actor, folder_id: UUID) -> None:
    place = files.get_ancestry(actor=actor, node_id=folder_id)
    if place.node.kind != "folder" or place.owner_id != actor.user_id:
        raise errors.ShortcutUnfit(reason="place")


def _find_own(actor: Actor, shortcut_id: UUID) -> Shortcut:
    row = Shortcut.objects.filter(user_id=actor.user_id, id=shortcut_id).first()
    if row is None:
        raise NotFound
    return row


def _find_free(wanted: Name, taken: set[str], *, is_folder: bool) -> Name:
    """Give the name, or its first variant that is free; there are at most ``LIMIT`` others."""
    found, number = wanted, 2
    while found.key in taken:
        found, number = names.numbered(wanted, number, is_folder=is_folder), number + 1
    return found


def _describe(actor: Actor, rows: list[Shortcut]) -> list[dtos.Shortcut]:
    wanted = {row.node_id for row in rows}
    found = files.list_nodes(actor=actor, node_ids=wanted) if wanted else []
    return _to_shortcuts(rows, {node.id: listing.to_shared_node(node) for node in found})


def _to_shortcuts(rows: list[Shortcut], nodes: dict[UUID, dtos.SharedNode]) -> list[dtos.Shortcut]:
    return [
        dtos.Shortcut(
            id=row.id,
            folder_id=row.folder_id,
            node_id=row.node_id,
            name=row.name,
            node=nodes.get(row.node_id),
            created_at=row.created_at,
        )
        for row in rows
    ]
