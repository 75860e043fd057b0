"""The personal root of somebody who has left becomes a folder in the root of their successor: one row, whatever lies below.

What lies in its trash goes along, so it is brought back and expires as it would have. The limits of depth and length of paths are not
asked: they keep people from making what is unwieldy, and here nobody makes anything. What lies a level too deep can be read and moved.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.files import models
from apps.files.models import Kind
from apps.files.operations.structure import ROOT_NAME
from apps.files.rows import NodeRow, Way, fetch_one, read_rows
from apps.files.sql.nodes import HAND_OVER, INSERT_ROOT
from apps.files.tree import Ancestors, Below, node_parameters, place, tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import FolderCreated, NodeMoved
from bitvault.kernel import clock, ids, names
from bitvault.kernel.names import InvalidName, Name

TRASH_BATCH = 1000
"""Entries of the trash that change hands in one transaction: some milliseconds under the lock of the tree."""

_NAME_BYTES = 180
"""Bytes of a person's name in the folder's: room for the words before it and a number behind it."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The folder that a root has become, and whose it is."""

    node_id: UUID
    successor_id: UUID


def hand_over(
    *, user_id: UUID, name: str, successor_id: UUID, by: UUID | None, report: Callable[[int], None]
) -> UUID | None:
    """Put somebody's personal root into the successor's as “Files of …”; ``None`` when there is none, or nothing in it.

    Done again, it goes on where it was, and finds nothing left to do once it is through.

    :param report: told how many entries of the trash have changed hands; raises when it is to stop.
    """
    with tree_transaction():
        if _find_root(user_id) is None:
            return None
        if _find_root(successor_id) is None:
            _make_root(successor_id)
    count = 0
    while given := _give_trash(user_id, successor_id):
        count += given
        report(count)
    with tree_transaction():
        root, heir = _find_root(user_id), _find_root(successor_id)
        if root is None or heir is None:  # the successor has left meanwhile, and what they had is handed over already
            return None
        # What somebody else has put there meanwhile.
        _move_trash(root.id, heir.id)
        if not root.child_count:
            return None
        way = Way([heir])
        row = place(way, name_folder(name), lambda free: _write(root, way, free), autorename=True, is_folder=True)
        publish(
            NodeMoved(
                actor_id=by,
                node_id=row.id,
                kind="folder",
                parent_id=heir.id,
                old_parent_id=None,
                name=row.name,
                old_name=root.name,
                revision=row.revision,
            )
        )
        return row.id


def name_folder(name: str) -> Name:
    """Name the folder after a person; what no name of a file can hold is left out of theirs."""
    short = name.replace("/", "-").encode()[:_NAME_BYTES].decode(errors="ignore").strip()
    try:
        return names.parse(f"Files of {short}")
    except InvalidName:
        return names.parse("Files of a former member")


def _give_trash(user_id: UUID, successor_id: UUID) -> int:
    """Give a batch of the trash to the successor; none, where one of the two roots is not there any more."""
    with tree_transaction():
        left, heir = _find_root(user_id), _find_root(successor_id)
        return 0 if left is None or heir is None else _move_trash(left.id, heir.id)


def _move_trash(left_id: UUID, heir_id: UUID) -> int:
    some = models.Trash.objects.filter(root_id=left_id).order_by("node_id").values("node_id")[:TRASH_BATCH]
    return models.Trash.objects.filter(node_id__in=some).update(root_id=heir_id)


def ensure_root(user_id: UUID) -> NodeRow:
    """Find somebody's personal root, or make it, inside the open transaction of the tree."""
    return _find_root(user_id) or _make_root(user_id)


def _find_root(user_id: UUID) -> NodeRow | None:
    return next(iter(read_rows(models.Node.objects.filter(owner_user_id=user_id))), None)


def _make_root(user_id: UUID) -> NodeRow:
    """Make the personal root of somebody who has not come yet; under the tree lock nobody is quicker."""
    values = node_parameters(
        node_id=ids.new_id(), kind=Kind.FOLDER, name=names.parse(ROOT_NAME), created_by=user_id, now=clock.now()
    )
    made = NodeRow._make(fetch_one(INSERT_ROOT, {**values, "owner_user_id": user_id}))
    publish(
        FolderCreated(
            actor_id=user_id,
            node_id=made.id,
            parent_id=None,
            name=made.name,
            revision=made.revision,
            created_at=made.created_at,
        )
    )
    return made


def _write(left: NodeRow, heir: Way, name: Name) -> NodeRow | None:
    """Write the place; ``None`` when the name is taken there."""
    above = Ancestors()
    above.gain_child(heir, name, Below.bound_of(left))
    row = fetch_one(
        HAND_OVER,
        {
            **above.parameters(),
            "id": left.id,
            "parent_id": heir.node.id,
            "name": name.text,
            "name_key": name.key,
            "key_version": names.KEY_VERSION,
            "sort_key": name.sort_key,
        },
    )
    return None if row is None else NodeRow._make(row)
