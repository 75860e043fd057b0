"""Who may do what with a node: told by the root that its way up ends at.

The owner of a personal root manages everything in it. In a team folder the tenant's owners and administrators manage, and others may
what the folder's list or its word for everyone grants them, whichever is more. The tenant's role ``viewer`` and a token without
``files:write`` cut all of that to viewing. Whoever has no right at all does not learn that the node exists: for them it is not found,
like one that never was.
"""

from enum import IntEnum
from functools import cache

from apps.files.dtos import RightName
from apps.files.rows import NodeRow, Way
from bitvault.kernel.actor import Actor, Role, Scope
from bitvault.kernel.errors import Denied, Forbidden, NotFound


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
    if way is None or not way.is_live:
        return None
    right = _find_right_in_root(actor, way.root)
    return None if right is None else cut_right(actor, right)


def list_rights(actor: Actor, way: Way) -> tuple[RightName, ...]:
    """Name the rights that an actor has at the end of a way; none where there is no way for them."""
    right = find_right(actor, way)
    return names_up_to(right) if right is not None else ()


def _find_right_in_root(actor: Actor, root: NodeRow) -> Right | None:
    if root.team_right is None:
        return Right.MANAGE if root.owner_user_id == actor.user_id else None
    if actor.administers:
        return Right.MANAGE
    return Right(root.team_right) if root.team_right else None


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
        raise NotFound().about(Denied(node_id=way.node.id) if way is not None and way.is_live else None)
    forbid_unless(present, right)
    return way


def find_right_in_ended(actor: Actor) -> Right | None:
    """Tell what the actor may do with team folders that have ended: who administers the tenant brings them back or deletes them."""
    return cut_right(actor, Right.MANAGE) if actor.administers else None


def require_root(way: Way) -> Way:
    """Refuse a node that is no root where only one makes sense; returns the way.

    :raises NotFound: there is no such root.
    """
    if not way.node.is_root:
        raise NotFound
    return way


def require_ended_team_folder(actor: Actor, way: Way | None) -> Way:
    """Refuse everybody but who administers the tenant: nobody else knows of a team folder that has ended; returns the way.

    :raises NotFound: it is none, or the actor is no administrator.
    :raises Forbidden: the credential may not write.
    """
    right = find_right_in_ended(actor)
    if way is None or way.is_live or not way.node.is_team_folder or right is None:
        raise NotFound
    forbid_unless(right, Right.MANAGE)
    return way


def forbid_unless(present: Right, needed: Right) -> None:
    """Refuse a right that does not reach.

    :raises Forbidden: ``present`` is weaker than ``needed``.
    """
    if present < needed:
        raise Forbidden(f"This needs the right to {needed.name.lower()}.", right=needed.name.lower())
