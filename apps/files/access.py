"""Who may do what with a node.

The owner of a personal root manages everything in it. The tenant's role ``viewer`` and a token without ``files:write`` cut that to
viewing. Whoever has no right at all does not learn that the node exists: for them it is not found, like one that never was.
"""

from enum import IntEnum
from functools import cache

from apps.files.dtos import RightName
from apps.files.rows import Way
from bitvault.kernel.actor import Actor, Role, Scope
from bitvault.kernel.errors import Forbidden, NotFound


class Right(IntEnum):
    """What somebody may do with a node and all below it; each right includes the weaker ones."""

    VIEW = 1
    COMMENT = 2
    UPLOAD = 3
    EDIT = 4
    MANAGE = 5


@cache
def names_up_to(right: Right) -> tuple[RightName, ...]:
    """Name a right and all that it includes, weakest first."""
    return tuple(one.name.lower() for one in Right if one <= right)  # type: ignore[misc] # the names are the literals


def find_right(actor: Actor, way: Way | None) -> Right | None:
    """Tell the strongest right that the actor has on the node at the lower end of ``way``; ``None`` for none at all."""
    if way is None or not way.is_live or way.root.owner_user_id != actor.user_id:
        return None
    return cut_right(actor, Right.MANAGE)


def cut_right(actor: Actor, right: Right) -> Right:
    """Cut a right to what the actor's role and credential allow at most."""
    if actor.role is Role.VIEWER or Scope.FILES_WRITE not in actor.scopes:
        return Right.VIEW
    return right


def require_right(actor: Actor, way: Way | None, right: Right) -> Way:
    """Refuse what the actor may not do; returns the way.

    :raises NotFound: there is no such live node, or the actor may not know of it.
    :raises Forbidden: the actor may see it but lacks ``right``.
    """
    present = find_right(actor, way)
    if way is None or present is None:
        raise NotFound
    forbid_unless(present, right)
    return way


def forbid_unless(present: Right, needed: Right) -> None:
    """Refuse a right that does not reach.

    :raises Forbidden: ``present`` is weaker than ``needed``.
    """
    if present < needed:
        raise Forbidden(f"This needs the right to {needed.name.lower()}.", right=needed.name.lower())
