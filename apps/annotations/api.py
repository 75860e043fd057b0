"""The door of annotations: favourites, what somebody worked with last, and the marks of a list.

Rights on nodes are Files' to judge, with those that the actor carries: a node that they may not know of is not found.
"""

from collections.abc import Sequence
from uuid import UUID

from apps.annotations import dtos
from apps.annotations.errors import TooManyNodes
from apps.annotations.operations import favourites
from apps.annotations.queries import lists
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page

__all__ = ["list_favourites", "list_marks", "list_recents", "mark_favourite", "unmark_favourite"]


@exposed
def mark_favourite(*, actor: Actor, node_id: UUID) -> None:
    """Make a node a favourite of the actor. Repeatable.

    :raises NotFound: there is no such node that the actor may know of.
    :raises TooManyFavourites: the actor has as many as one can have.
    """
    actor.require_scope(Scope.FILES_READ)
    favourites.mark(actor, node_id)


@exposed
def unmark_favourite(*, actor: Actor, node_id: UUID) -> None:
    """Let a node be no favourite of the actor any more, whether or not they still see it. Repeatable."""
    actor.require_scope(Scope.FILES_READ)
    favourites.unmark(actor, node_id)


@exposed
def list_favourites(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[dtos.Favourite]:
    """List the actor's favourites that they see now, latest first.

    A page may hold fewer than ``limit``, or nothing, although ``next_cursor`` says that more follow.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return lists.list_favourites(actor, limit=limit, cursor=cursor)


@exposed
def list_recents(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[dtos.Recent]:
    """List the files that the actor added, changed, renamed or downloaded and sees now, last first; pages as of ``list_favourites``.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return lists.list_recents(actor, limit=limit, cursor=cursor)


@exposed
def list_marks(*, actor: Actor, node_ids: Sequence[UUID]) -> list[dtos.Marks]:
    """Tell what a list shows on some nodes; those that the actor may not see, and those without any mark, are left out.

    :raises TooManyNodes: more than a hundred are named.
    """
    actor.require_scope(Scope.FILES_READ)
    if len(node_ids) > dtos.NODES_LIMIT:
        raise TooManyNodes(limit=dtos.NODES_LIMIT)
    return lists.list_marks(actor, node_ids)
