"""Roles of a tenant's own: made, changed and deleted by who manages roles, never beyond what they may do themselves."""

from collections.abc import Collection
from uuid import UUID

from django.db import IntegrityError

from apps.identity import dtos, models, queries, roles
from apps.identity.errors import InvalidLabel, RoleBuiltIn, RoleInUse, RoleNameTaken, TooManyRoles, UnknownRole
from apps.identity.operations import texts
from bitvault.events.api import publish
from bitvault.events.catalog.identity import RoleChanged, RoleCreated, RoleDeleted
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import BASES, Actor, Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.permissions import CHOOSABLE, Permission

ROLES_LIMIT = 50
"""Roles of its own that a tenant has: more than a page of checkmarks is read for."""

NAME_LENGTH = 60

_TAKEN = frozenset({*(role.value for role in Role), "administrator"})
"""Names that would be read as those of built-in roles."""


def create(*, actor: Actor, name: str, base: Role, permissions: Collection[Permission]) -> dtos.TenantRole:
    """Make a role."""
    row = models.CustomRole(
        id=ids.new_id(),
        tenant_id=actor.tenant.id,
        name=_read_name(name),
        base=_read_base(base),
        permissions=_read_permissions(permissions),
        created_at=clock.now(),
    )
    roles.Choice(Role(row.base), row).require_given_by(actor)
    try:
        with db.public_transaction():
            models.Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant.id)
            if models.CustomRole.objects.filter(tenant_id=actor.tenant.id).count() >= ROLES_LIMIT:
                raise TooManyRoles(limit=ROLES_LIMIT)
            row.save(force_insert=True)
            publish(
                RoleCreated(
                    role_id=row.id, name=row.name, base=row.base, permissions=row.permissions, actor_id=actor.user_id
                )
            )
    except IntegrityError as error:
        raise RoleNameTaken from error
    return roles.get_role(actor, row.id)


def update(
    *, actor: Actor, role_id: UUID, name: str | None, base: Role | None, permissions: Collection[Permission] | None
) -> dtos.TenantRole:
    """Change a role, for all who have it; what holds already is no change and no event."""
    wanted = {
        "name": None if name is None else _read_name(name),
        "base": None if base is None else _read_base(base),
        "permissions": None if permissions is None else _read_permissions(permissions),
    }
    try:
        with db.public_transaction() as tx:
            row = _lock(actor, role_id)
            changed = [field for field, value in wanted.items() if value is not None and getattr(row, field) != value]
            for field in changed:
                setattr(row, field, wanted[field])
            roles.Choice(Role(row.base), row).require_given_by(actor)
            if changed:
                row.save(update_fields=changed)
                if "base" in changed:
                    for table in (models.Membership, models.Invitation):
                        table.objects.filter(custom_role=row).update(role=row.base)
                publish(
                    RoleChanged(
                        role_id=row.id,
                        name=row.name,
                        base=row.base,
                        permissions=row.permissions,
                        actor_id=actor.user_id,
                    )
                )
            tx.after_commit(queries.forget_remembered)
    except IntegrityError as error:
        raise RoleNameTaken from error
    return roles.get_role(actor, role_id)


def delete(*, actor: Actor, role_id: UUID, successor_id: UUID | None) -> None:
    """Delete a role; who has it, and who is invited with it, gets another one with the same commit."""
    with db.public_transaction() as tx:
        row = _lock(actor, role_id, *([] if successor_id is None else [successor_id]))
        successor = None if successor_id in (None, role_id) else _choose_successor(actor, successor_id)
        held = [table.objects.filter(custom_role=row) for table in (models.Membership, models.Invitation)]
        if successor is None:
            members, invitations = (rows.count() for rows in held)
            if members or invitations:
                raise RoleInUse(member_count=members, invitation_count=invitations)
        else:
            for rows in held:
                rows.update(role=successor.role.value, custom_role=successor.custom)
        row.delete()
        publish(
            RoleDeleted(
                role_id=role_id,
                name=row.name,
                successor="" if successor is None else successor.label,
                actor_id=actor.user_id,
            )
        )
        tx.after_commit(queries.forget_remembered)


def _lock(actor: Actor, role_id: UUID, *also: UUID) -> models.CustomRole:
    """Lock a role that is to change, with what else matters, in one order: two changes that need the same rows do not wait in a circle.

    :raises RoleBuiltIn: it is none of the tenant's own.
    :raises NotFound: there is none.
    :raises RoleTooStrong: it allows what the actor may not do.
    """
    if roles.is_built_in(role_id):
        raise RoleBuiltIn
    rows = models.CustomRole.objects.select_for_update().filter(tenant_id=actor.tenant.id, pk__in=[role_id, *also])
    row = next((one for one in rows.order_by("id") if one.id == role_id), None)
    if row is None:
        raise NotFound
    roles.Choice(Role(row.base), row).require_given_by(actor)
    return row


def _choose_successor(actor: Actor, role_id: UUID | None) -> roles.Choice:
    """Read the role that others are to have instead.

    :raises UnknownRole: there is none, or it is one that nobody gets by the way.
    :raises RoleTooStrong: it allows what the actor may not do.
    """
    choice = roles.choose(actor.tenant.id, role=None, role_id=role_id)
    if choice.role in (Role.OWNER, Role.GUEST):
        raise UnknownRole("Owners are made one by one, and guests by sharing with them.")
    choice.require_given_by(actor)
    return choice


def _read_name(text: str) -> str:
    name = texts.read_label(text, field="name")
    if len(name) > NAME_LENGTH:
        raise InvalidLabel("The name has more than 60 characters.", field="name")
    if name.casefold() in _TAKEN:
        raise RoleNameTaken
    return name


def _read_base(base: Role) -> str:
    if base not in BASES:
        raise UnknownRole("A role works with files as members do, or looks at them as viewers do.")
    return base.value


def _read_permissions(permissions: Collection[Permission]) -> list[str]:
    if set(permissions) - set(CHOOSABLE):
        raise UnknownRole("What only owners may do is in no other role.")
    return [one.value for one in CHOOSABLE if one in permissions]
