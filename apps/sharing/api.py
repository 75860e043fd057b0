"""The doors of sharing: what a caller may reach, and the shares of a node."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from apps.sharing import accesses, asking, badges, leaving, listing, operations, queries, shortcuts
from apps.sharing.dtos import (
    AccessRequest,
    Badge,
    Candidates,
    Grant,
    NodeAccess,
    Principal,
    Received,
    Share,
    SharedItem,
    Shortcut,
)
from bitvault.kernel import db, names
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.capabilities import Reach, RoleName
from bitvault.kernel.pages import PAGE_DEFAULT, Page

SHARED_NODES_PAGE = 1000

RECEIVED = Received()
"""All of it, newest first."""


@exposed
def find_reach(*, actor: Actor, fresh: bool = False) -> Reach:
    """Find the permissions that an actor has, by node; at most 0.8 s old, or ``fresh``."""
    return queries.find_reach(actor, fresh=fresh)


@exposed
def list_shared_node_ids(*, after: UUID | None = None, limit: int = SHARED_NODES_PAGE) -> Sequence[UUID]:
    """List the nodes of the entered tenant that somebody has a permission on, whoever it is: for derivations that are rebuilt.

    :param after: the last id of the page before.
    """
    with db.read_transaction():
        return queries.list_node_ids(after=after, limit=limit)


@exposed
def list_shares(*, actor: Actor, node_id: UUID) -> Page[Share]:
    """List the shares that stand on a node itself, first given first, all in one page: whoever sees the node sees with whom.

    What a node inherits from folders above stands there. People who have left the tenant are left out.

    :raises NotFound: there is no such node that the actor may know of.
    """
    actor.require_scope(Scope.FILES_READ)
    actor.require_member()
    operations.require_capability(actor, node_id, "view")
    with db.read_transaction():
        rows = queries.list_of_node(node_id)
    return Page(queries.to_shares(actor.tenant, rows))


@exposed
def get_access(*, actor: Actor, node_id: UUID, principal: Principal | None = None) -> NodeAccess:
    """Tell who reaches a node, and by what: its owner, who administers, and the shares of the node and of all that it lies in.

    :param principal: a user or a group by its id, of whom alone is told; also why they do not reach it.
    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may only add there, or asks for somebody else and may not share the node.
    :raises UnknownPrincipal: the tenant has none of this id.
    """
    actor.require_scope(Scope.FILES_READ)
    actor.require_member()
    if principal is None:
        operations.require_capability(actor, node_id, "view")
        return accesses.get_access(actor, node_id)
    operations.require_capability(actor, node_id, "view" if principal.id == actor.user_id else "share")
    return accesses.explain(actor, node_id, principal)


@exposed
def search_candidates(*, actor: Actor, node_id: UUID, text: str, limit: int) -> Candidates:
    """Find people and groups of the tenant with whom a node can be shared: by a part of a name or an address, ``limit`` at most.

    :raises NotFound, Forbidden: the actor may not know of the node, or may not share it.
    """
    actor.require_scope(Scope.FILES_READ)
    operations.require_capability(actor, node_id, "share")
    return Candidates(items=queries.search_candidates(actor.tenant, text, limit=limit))


@exposed
def list_badges(*, actor: Actor, node_ids: Collection[UUID]) -> list[Badge]:
    """Tell of those of some nodes that the actor may know of and that are shared with whom; guests are told nothing."""
    actor.require_scope(Scope.FILES_READ)
    if actor.is_guest:
        return []
    return badges.list_badges(actor, node_ids)


@exposed
def put_share(*, actor: Actor, node_id: UUID, grant: Grant) -> Share:
    """Give somebody a share on a node; one that they have there already gets this role and this end.

    An address that is no member's is invited as a guest, and has the share once they have come.

    A person who has not had one is told by mail, unless ``grant.notify`` says no. Groups and everyone are told by their lists.

    :raises NotFound, Forbidden: the actor may not know of the node, or may not share it.
    :raises PolicyForbids: the tenant lets only owners decide who else has access.
    :raises PrincipalUnfit, UnknownPrincipal: the principal is none of the tenant's.
    :raises PolicyForbids, DomainNotAllowed: the tenant has no such guests.
    :raises EmailNotProved, InvalidEmail, TooManyRequests, GuestLimitReached: an address that is no member's cannot be invited.
    :raises MoreThanOwn: the role has capabilities that the actor lacks there.
    :raises ExpiryPast: the end has passed.
    :raises MessageUnfit: the message is too long, or holds control characters.
    :raises TooManyShares: the node has as many as one can have.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return operations.put(actor=actor, node_id=node_id, grant=grant)


@exposed
def replace_shares(*, actor: Actor, node_id: UUID, grants: Sequence[Grant]) -> Page[Share]:
    """Let a node have just these shares, all at once; those that are there already and stay the same are left as they are.

    :raises NotFound, Forbidden, PolicyForbids, PrincipalUnfit, UnknownPrincipal, MoreThanOwn, ExpiryPast, TooManyShares: as ``put_share``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return Page(operations.replace_all(actor=actor, node_id=node_id, grants=grants))


@exposed
def change_share(
    *,
    actor: Actor,
    share_id: UUID,
    role: RoleName | None = None,
    expires_at: datetime | None = None,
    ends: bool = False,
) -> Share:
    """Give a share another role, another end, or both; ``ends`` says that ``expires_at`` is meant, ``None`` for no end.

    :raises NotFound, Forbidden, PolicyForbids, MoreThanOwn, ExpiryPast: as ``put_share``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return operations.change(actor=actor, share_id=share_id, role=role, expires_at=expires_at, ends=ends)


@exposed
def revoke_share(*, actor: Actor, share_id: UUID) -> None:
    """End a share, or leave one that the actor has received.

    :raises NotFound, Forbidden, MoreThanOwn: as ``put_share``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    operations.revoke(actor=actor, share_id=share_id)


@exposed
def list_shared_with_me(
    *, actor: Actor, wanted: Received = RECEIVED, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[SharedItem]:
    """List what others have shared with the actor and they can see now, newest first, or their favourites before all else.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return listing.list_with(actor, wanted, limit=limit, cursor=cursor)


@exposed
def leave_share(*, actor: Actor, share_id: UUID) -> None:
    """Leave a share by which the actor reaches something, whomever else it is for: it gives them nothing until they take it back.

    :raises NotFound: there is no such share that reaches the actor.
    """
    actor.require_scope(Scope.FILES_WRITE)
    leaving.leave(actor=actor, share_id=share_id)


@exposed
def take_share_back(*, actor: Actor, share_id: UUID) -> None:
    """Have again what a share gives that the actor has left.

    :raises NotFound: there is no such share that would reach the actor.
    """
    actor.require_scope(Scope.FILES_WRITE)
    leaving.take_back(actor=actor, share_id=share_id)


@exposed
def list_left_shares(*, actor: Actor) -> Page[SharedItem]:
    """List what the actor has left and could take back, latest first, 200 at most."""
    actor.require_scope(Scope.FILES_READ)
    return Page(leaving.list_left(actor))


@exposed
def list_shortcuts(*, actor: Actor, folder_id: UUID | None = None) -> Page[Shortcut]:
    """List the actor's shortcuts by name, all or those of one folder, in one page; broken ones too.

    :raises NotFound: there is no such folder that the actor may know of.
    """
    actor.require_scope(Scope.FILES_READ)
    actor.require_member()
    return Page(shortcuts.list_own(actor, folder_id=folder_id))


@exposed
def create_shortcut(*, actor: Actor, folder_id: UUID, node_id: UUID, name: str | None = None) -> Shortcut:
    """Put a shortcut to something of others into a folder of the actor's own tree; one that leads there already is given as it is.

    :raises NotFound: there is no such folder or node that the actor may know of.
    :raises InvalidName: nothing can be called so.
    :raises ShortcutUnfit: the folder is none of their own tree, or the node lies in it.
    :raises ShortcutNameTaken: another shortcut in the folder has this name.
    :raises TooManyShortcuts: the actor has as many as one can have.
    """
    actor.require_scope(Scope.FILES_WRITE)
    actor.require_member()
    wanted = None if name is None else names.parse(name)
    return shortcuts.create(actor=actor, folder_id=folder_id, node_id=node_id, name=wanted)


@exposed
def update_shortcut(
    *, actor: Actor, shortcut_id: UUID, name: str | None = None, folder_id: UUID | None = None
) -> Shortcut:
    """Rename a shortcut, move it within the actor's own tree, or both; what it leads to is not touched.

    :raises NotFound: the actor has no such shortcut, or there is no such folder.
    :raises InvalidName, ShortcutUnfit, ShortcutNameTaken: as ``create_shortcut``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    wanted = None if name is None else names.parse(name)
    return shortcuts.update(actor=actor, shortcut_id=shortcut_id, name=wanted, folder_id=folder_id)


@exposed
def remove_shortcut(*, actor: Actor, shortcut_id: UUID) -> None:
    """Remove a shortcut, whether or not it leads anywhere.

    :raises NotFound: the actor has no such shortcut.
    """
    actor.require_scope(Scope.FILES_WRITE)
    shortcuts.remove(actor=actor, shortcut_id=shortcut_id)


@exposed
def list_shared_by_me(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[SharedItem]:
    """List what the actor has shared with others and can see now, newest first.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return listing.list_by(actor, limit=limit, cursor=cursor)


@exposed
def request_access(*, actor: Actor, node_id: UUID, role: RoleName = "viewer", message: str = "") -> None:
    """Ask whoever keeps a node for access to it. Whether there is such a node is told to nobody: a job looks for it.

    :raises AccessHeld: the actor has what they ask for.
    :raises MessageUnfit: the message is too long, or holds control characters.
    :raises TooManyRequests: the actor has asked too often.
    """
    actor.require_scope(Scope.FILES_READ)
    actor.require_member()
    asking.ask(actor=actor, node_id=node_id, role=role, message=message)


@exposed
def list_access_requests(*, actor: Actor) -> Page[AccessRequest]:
    """List what others ask for and the actor can answer, newest first, 200 at most."""
    actor.require_scope(Scope.FILES_READ)
    return Page(asking.list_open(actor))


@exposed
def answer_access_request(
    *,
    actor: Actor,
    request_id: UUID,
    granted: bool,
    role: RoleName | None = None,
    expires_at: datetime | None = None,
) -> AccessRequest:
    """Give somebody the access that they ask for, with another ``role`` and an end if wanted, or decline it.

    :raises NotFound: there is no open request that the actor could answer.
    :raises PolicyForbids, MoreThanOwn, ExpiryPast, TooManyShares: as ``put_share``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return asking.answer(actor=actor, request_id=request_id, granted=granted, role=role, expires_at=expires_at)
