"""What a tenant's roles allow: the built-in ones, which all tenants have, and its own. Both are told as rows of one kind."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from apps.identity import dtos, models
from apps.identity.errors import RoleTooStrong, UnknownRole
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.permissions import ADMINISTRATION, Permission, read_permissions

BUILT_IN_IDS = {role: UUID(int=number) for number, role in enumerate(Role, start=1)}
"""The same in every tenant and release."""

_BY_ID = {role_id: role for role, role_id in BUILT_IN_IDS.items()}


@dataclass(frozen=True, slots=True)
class Choice:
    """A role that somebody has or is to have."""

    role: Role
    """The built-in one, or that on which the tenant's own stands."""
    custom: models.CustomRole | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What it allows."""
        return permissions_of(self.role, self.custom)

    @property
    def label(self) -> str:
        """What events call it: the key of a built-in one, the name of a tenant's own."""
        return self.role.value if self.custom is None else self.custom.name

    def can_be_given_by(self, actor: Actor) -> bool:
        """Tell whether it allows nothing that the actor may not do, neither in the tenant nor with files."""
        own = self.role is not Role.OWNER or actor.role is Role.OWNER
        return own and self.permissions <= actor.permissions and not self.role.ceiling & ~actor.role.ceiling

    def require_given_by(self, actor: Actor) -> None:
        """Refuse to give more than one has.

        :raises RoleTooStrong: the role allows what the actor may not do.
        """
        if not self.can_be_given_by(actor):
            raise RoleTooStrong

    def require_touched_by(self, actor: Actor) -> None:
        """Refuse to change or put out somebody who administers what one does not oneself; owners by owners alone.

        :raises RoleTooStrong: the role administers more than the actor does.
        """
        is_owners = self.role is Role.OWNER and actor.role is not Role.OWNER
        if is_owners or not self.permissions & ADMINISTRATION <= actor.permissions:
            raise RoleTooStrong


def permissions_of(role: Role, custom: models.CustomRole | None) -> frozenset[Permission]:
    """Tell what a role allows."""
    return role.permissions if custom is None else read_permissions(custom.permissions)


def find_given(custom: models.CustomRole | None) -> frozenset[Permission] | None:
    """Give the permissions of a tenant's own role; ``None``: the built-in one says it."""
    return None if custom is None else read_permissions(custom.permissions)


def to_named(custom: models.CustomRole | None) -> dtos.NamedRole | None:
    """Name a tenant's own role."""
    return None if custom is None else dtos.NamedRole(custom.id, custom.name)


def having(permission: Permission) -> Q:
    """Select memberships whose role allows something."""
    built_in = [role.value for role in Role if permission in role.permissions]
    return Q(custom_role=None, role__in=built_in) | Q(custom_role__permissions__contains=[permission.value])


def choose(tenant_id: UUID, *, role: Role | None, role_id: UUID | None) -> Choice:
    """Read the role that a request names, by the key of a built-in one or by an id, in the open transaction.

    A tenant's own is locked, before any other row: it is neither changed nor deleted while somebody gets it.

    :raises UnknownRole: there is none, or none or two are named.
    """
    if role is not None and role_id is None:
        return Choice(role)
    if role is not None or role_id is None:
        raise UnknownRole("Name a role by its key or by its id.")
    if role_id in _BY_ID:
        return Choice(_BY_ID[role_id])
    found = models.CustomRole.objects.select_for_update(no_key=True).filter(tenant_id=tenant_id, pk=role_id).first()
    if found is None:
        raise UnknownRole
    return Choice(Role(found.base), found)


def is_built_in(role_id: UUID) -> bool:
    """Tell whether an id is that of a built-in role."""
    return role_id in _BY_ID


def list_roles(actor: Actor) -> list[dtos.TenantRole]:
    """List what roles there are, the built-in ones strongest first, then the tenant's own by name, each with how many have it."""
    custom = models.CustomRole.objects.filter(tenant_id=actor.tenant.id).order_by("name", "id")
    choices = [*(Choice(role) for role in Role), *(Choice(Role(row.base), row) for row in custom)]
    members = _count(models.Membership, actor.tenant.id)
    invited = _count(models.Invitation, actor.tenant.id)
    return [_to_role(actor, one, members, invited) for one in choices]


def get_role(actor: Actor, role_id: UUID) -> dtos.TenantRole:
    """Read one of them; the caller knows that it is there."""
    return next(one for one in list_roles(actor) if one.id == role_id)


Counts = dict[tuple[str, UUID | None], int]


def _count(table: type[models.Membership] | type[models.Invitation], tenant_id: UUID) -> Counts:
    rows = table.objects.filter(tenant_id=tenant_id).order_by().values_list("role", "custom_role_id")
    return {(role, custom_id): count for role, custom_id, count in rows.annotate(Count("id"))}


def _to_role(actor: Actor, choice: Choice, members: Counts, invited: Counts) -> dtos.TenantRole:
    custom = choice.custom
    key = (choice.role.value, None if custom is None else custom.id)
    return dtos.TenantRole(
        id=BUILT_IN_IDS[choice.role] if custom is None else custom.id,
        name=choice.label,
        built_in=choice.role if custom is None else None,
        base=choice.role,
        permissions=[one for one in Permission if one in choice.permissions],
        member_count=members.get(key, 0),
        invitation_count=invited.get(key, 0),
        can_give=choice.role is not Role.GUEST and choice.can_be_given_by(actor),
    )
