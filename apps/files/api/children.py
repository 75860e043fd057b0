"""One operation for all children of a folder but some: in pages, so that no request takes long and no lock is held from one to the next."""

import time
from collections.abc import Collection
from uuid import UUID

from apps.files import listing
from apps.files.dtos import Applied, AppliedPage, ChildrenAction, Node, NodeRef
from apps.files.operations import structure, trash
from bitvault.kernel.actor import Actor
from bitvault.kernel.denials import note_denied_item
from bitvault.kernel.errors import BitVaultError, Invalid, Unavailable

PAGE = 50
"""Children that are read at once."""

SECONDS = 1.0
"""After how long a request answers with what it has done; the caller goes on with the cursor."""


def apply(
    actor: Actor,
    node_id: NodeRef,
    *,
    action: ChildrenAction,
    parent_id: UUID | None,
    except_ids: Collection[UUID],
    only_ids: Collection[UUID],
    cursor: str | None,
) -> AppliedPage:
    """Trash or move children until a second has passed, or those of ``only_ids``, which are few; see the door.

    :raises Invalid: a move without a folder to move to, or ``only_ids`` together with what says which of all.
    :raises NotFound, Forbidden, NotAFolder: nothing can be moved to ``parent_id``, whatever it is.
    """
    if (action == "move") != (parent_id is not None):
        raise Invalid("A move names the folder to move to (parent_id); nothing else does.")
    if parent_id is not None:
        structure.require_target(actor, parent_id)
    if only_ids:
        if except_ids or cursor is not None:
            raise Invalid("Name those that are meant (only_ids), or go through all (except_ids, cursor).")
        nodes = listing.list_named_children(actor, node_id, only_ids)
        return AppliedPage([_apply_to(actor, node, parent_id) for node in nodes], None)
    deadline = time.monotonic() + SECONDS
    spared = set(except_ids)
    done: list[Applied] = []
    while True:
        page = listing.list_children(actor, node_id, limit=PAGE, cursor=cursor, sort="name", order="asc")
        done += [_apply_to(actor, node, parent_id) for node in page.items if node.id not in spared]
        cursor = page.next_cursor
        if cursor is None or time.monotonic() > deadline:
            return AppliedPage(done, cursor)


def _apply_to(actor: Actor, node: Node, parent_id: UUID | None) -> Applied:
    try:
        if parent_id is None:
            trash.trash(actor=actor, node_id=node.id, expected_revision="any")
        else:
            structure.move(
                actor=actor,
                node_id=node.id,
                name=None,
                parent_id=parent_id,
                autorename=False,
                expected_revision="any",
                client_modified_at=None,
            )
    except Unavailable:
        raise
    except BitVaultError as error:
        note_denied_item(error, node_id=node.id)
        return Applied(node.id, node.name, done=False, code=error.code, detail=error.detail)
    return Applied(node.id, node.name, done=True)
