"""Doors to the roles of a tenant: the built-in ones and its own."""

from collections.abc import Collection
from uuid import UUID

from apps.identity import roles
from apps.identity.dtos import TenantRole
from apps.identity.operations import roles as changes
from bitvault.kernel.actor import Actor, Role, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.permissions import SEEING_MEMBERS, Permission


@exposed
def list_roles(*, actor: Actor) -> list[TenantRole]:
    """List the roles of the actor's tenant, the built-in ones first, each with what it allows and how many have it.

    :raises PermissionMissing: the actor neither manages roles nor sees members.
    """
    _require(actor, Permission.MANAGE_ROLES, *SEEING_MEMBERS)
    return roles.list_roles(actor)


@exposed
def create_role(*, actor: Actor, name: str, base: Role, permissions: Collection[Permission]) -> TenantRole:
    """Make a role of the tenant's own.

    :param base: ``MEMBER`` or ``VIEWER``: whether its people work with files or look at them.
    :raises PermissionMissing: the actor does not manage roles.
    :raises RoleTooStrong: it would allow what the actor may not do.
    :raises InvalidLabel, RoleNameTaken, UnknownRole, TooManyRoles: it is refused.
    """
    _require(actor, Permission.MANAGE_ROLES)
    return changes.create(actor=actor, name=name, base=base, permissions=permissions)


@exposed
def update_role(
    *,
    actor: Actor,
    role_id: UUID,
    name: str | None = None,
    base: Role | None = None,
    permissions: Collection[Permission] | None = None,
) -> TenantRole:
    """Change a role of the tenant's own for all who have it; what is left out stays. It holds everywhere within a second.

    :raises PermissionMissing, RoleTooStrong, InvalidLabel, RoleNameTaken, UnknownRole: as ``create_role``.
    :raises RoleBuiltIn: it is none of the tenant's own.
    :raises NotFound: there is none.
    """
    _require(actor, Permission.MANAGE_ROLES)
    return changes.update(actor=actor, role_id=role_id, name=name, base=base, permissions=permissions)


@exposed
def delete_role(*, actor: Actor, role_id: UUID, successor_id: UUID | None = None) -> None:
    """Delete a role of the tenant's own; who has it gets the one of ``successor_id``.

    :raises PermissionMissing, RoleTooStrong: as ``create_role``; also of the successor.
    :raises RoleInUse: somebody has it, or is invited with it, and no successor is named.
    :raises RoleBuiltIn, NotFound, UnknownRole: there is none of these ids.
    """
    _require(actor, Permission.MANAGE_ROLES)
    changes.delete(actor=actor, role_id=role_id, successor_id=successor_id)


def _require(actor: Actor, *permissions: Permission) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(*permissions)
