"""Doors to the groups of a tenant."""

from collections.abc import Collection
from uuid import UUID

from apps.identity import groups
from apps.identity.dtos import Group, GroupMember, NamedGroup
from apps.identity.operations import groups as changes
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import Forbidden
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant


@exposed
def create_group(*, actor: Actor, name: str, parent_id: UUID | None = None) -> Group:
    """Make a group, in another one if wanted: its people belong to that one too.

    :raises PermissionMissing: the actor does not manage groups.
    :raises InvalidLabel: the name cannot be used.
    :raises GroupNameTaken: another group has it.
    :raises NotFound: there is no such group to lie in.
    :raises GroupsNestedTooDeep: that one lies in a group itself.
    """
    _require_managing(actor)
    return changes.create(actor=actor, name=name, parent_id=parent_id)


@exposed
def update_group(
    *,
    actor: Actor,
    group_id: UUID,
    name: str | None = None,
    parent_id: UUID | None = None,
    changes_parent: bool = False,
) -> Group:
    """Give a group another name, or another group to lie in (none where ``changes_parent`` says so and no id comes).

    :raises Forbidden, InvalidLabel, GroupNameTaken, NotFound, GroupsNestedTooDeep: as ``create_group``.
    """
    _require_managing(actor)
    return changes.update(actor=actor, group_id=group_id, name=name, parent=(parent_id,) if changes_parent else None)


@exposed
def delete_group(*, actor: Actor, group_id: UUID) -> None:
    """Delete a group: what was opened to it is open to its people no more.

    :raises PermissionMissing: the actor does not manage groups.
    :raises NotFound: there is none.
    """
    _require_managing(actor)
    changes.delete(actor=actor, group_id=group_id)


@exposed
def list_groups(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[Group]:
    """Read a page of the tenant's groups, newest first: every member shares with them."""
    return groups.list_groups(actor, limit=limit, cursor=cursor)


@exposed
def find_groups(*, tenant: Tenant, group_ids: Collection[UUID]) -> list[NamedGroup]:
    """Find those of some groups that a tenant has, by name. Nobody in them is counted, so a large one costs no more than a small one."""
    return groups.find_groups(tenant, group_ids)


@exposed
def list_group_members(
    *, actor: Actor, group_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[GroupMember]:
    """Read a page of who is in a group itself: for who manages groups, and for who is in it.

    :raises NotFound: there is no such group.
    :raises Forbidden: the actor is neither.
    """
    _require_insight(actor, group_id)
    return groups.list_members(actor, group_id, limit=limit, cursor=cursor)


@exposed
def get_group_member(*, actor: Actor, group_id: UUID, user_id: UUID) -> GroupMember:
    """Read whether somebody is in a group, and manages it.

    :raises NotFound: there is no such group, or they are not in it.
    :raises Forbidden: the actor neither manages groups nor is in it.
    """
    _require_insight(actor, group_id)
    return groups.get_member(group_id, user_id)


@exposed
def put_group_member(*, actor: Actor, group_id: UUID, user_id: UUID, is_manager: bool = False) -> GroupMember:
    """Put a member of the tenant into a group; only who manages all groups says who manages it.

    :raises NotFound: there is no such group or member.
    :raises Forbidden: the actor neither manages groups nor manages the group.
    """
    return changes.put_member(actor=actor, group_id=group_id, user_id=user_id, is_manager=is_manager)


@exposed
def remove_group_member(*, actor: Actor, group_id: UUID, user_id: UUID) -> None:
    """Take somebody out of a group, or leave it.

    :raises NotFound, Forbidden: as ``put_group_member``.
    """
    changes.remove_member(actor=actor, group_id=group_id, user_id=user_id)


def _require_managing(actor: Actor) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_GROUPS)


def _require_insight(actor: Actor, group_id: UUID) -> None:
    if not actor.may(Permission.MANAGE_GROUPS) and not groups.is_member(group_id, actor.user_id):
        raise Forbidden("Only who manages groups and its own people see who is in a group.")
    groups.require_group(actor.tenant, group_id)
