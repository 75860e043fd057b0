"""The doors of what was: a folder as it was at a moment, and what a file contained then."""

from uuid import UUID

from apps.files import past, placements
from apps.files.dtos import Content
from apps.files.dtos.history import PastChildren
from apps.files.operations import downloads
from bitvault.kernel import db
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT

CONSUMER = placements.CONSUMER
"""Who keeps the record: a read as of a number waits for it."""

KEPT_FOR = placements.KEPT_FOR


@exposed
def list_children_as_of(
    *, actor: Actor, node_id: UUID, as_of: str | None, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> PastChildren:
    """Read a page of what lay in a folder at a moment: folders first, by name. Each item says what has become of it since.

    What the actor may not see now, where it is now, is left out.

    :param as_of: a number of the stream, or a time (RFC 3339); now, without one.
    :raises BadMoment: it is neither, or lies ahead.
    :raises BeyondHead: the stream has no such number.
    :raises HistoryTooShort: it is longer ago than history is kept.
    :raises NotThereThen: the folder was not there; fact: ``since``.
    :raises NotAFolder: the node is a file.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return past.list_children(actor, node_id, as_of=as_of, limit=limit, cursor=cursor)


@exposed
def get_content_as_of(*, actor: Actor, node_id: UUID, as_of: str, announced: bool = False) -> Content:
    """Find the bytes that a file had at a moment, also of one that lies in the trash now.

    :param announced: the stream hears of a download of what lies in the trash; one of a live file is opened by ``open_content``.

    :raises NotAFile: the node is a folder.
    :raises BadMoment, HistoryTooShort, BeyondHead: as ``list_children_as_of``.
    """
    actor.require_scope(Scope.FILES_READ)
    found = past.get_content(actor, node_id, as_of=as_of)
    if announced and not found.is_live:
        with db.write_transaction():
            downloads.announce(actor, node_id, found)
    return found


@exposed
def forget_past() -> int:
    """Delete what the entered tenant's history need not reach back to any more; returns how many rows."""
    return placements.forget_past()
