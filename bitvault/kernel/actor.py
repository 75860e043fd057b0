"""Who does something: the one value that every door takes to judge a right by."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from bitvault.kernel.capabilities import EVERYONE_ID, EVERYTHING, LOOKING, NO_REACH, READING, WORKING, Reach
from bitvault.kernel.errors import Forbidden
from bitvault.kernel.impersonation import Impersonation
from bitvault.kernel.permissions import NO_PERMISSIONS, OF_ADMINISTRATORS, OF_MEMBERS, OF_OWNERS, Permission
from bitvault.kernel.tenancy import Tenant


class ActorKind(StrEnum):
    """What sort of principal acts."""

    USER = "user"
    LINK = "link"


class Role(StrEnum):
    """The built-in roles of a tenant, strongest first. Guests are no members: they have what is shared with them and nothing else.

    Who has a role of the tenant's own is a ``MEMBER`` or a ``VIEWER`` with other permissions than these come with.
    """

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"
    GUEST = "guest"

    @property
    def ceiling(self) -> int:
        """The mask of what the role allows at most, wherever it is: guests decide of nothing who else has it."""
        return {Role.VIEWER: READING, Role.GUEST: WORKING}.get(self, EVERYTHING)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the built-in role allows in the tenant."""
        return _PERMISSIONS[self]


_PERMISSIONS = {
    Role.OWNER: OF_OWNERS,
    Role.ADMIN: OF_ADMINISTRATORS,
    Role.MEMBER: OF_MEMBERS,
    Role.VIEWER: NO_PERMISSIONS,
    Role.GUEST: NO_PERMISSIONS,
}


BASES = (Role.MEMBER, Role.VIEWER)
"""Built-in roles that a role of a tenant's own stands on."""

MEMBER_ROLES = tuple(role for role in Role if role is not Role.GUEST)
"""Roles of those who belong to the tenant: whom "everyone" means."""


class Scope(StrEnum):
    """What a token may be used for. A browser session holds all of them."""

    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    ACCOUNT = "account"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


class ScopeMissing(Forbidden):
    """The token does not carry the scope that this needs."""

    code = "identity.scope_missing"
    title = "The token may not be used for this"


class PermissionMissing(Forbidden):
    """The role of the actor does not allow it; fact: ``permissions``, any of which would do."""

    code = "identity.permission_missing"
    title = "Your role in this vault does not allow this"


class NotForGuests(Forbidden):
    """Guests have what was shared with them; this is for members."""

    code = "identity.not_for_guests"
    title = "This is for members of the vault"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in a tenant, and by which credential: everything that a right is judged by.

    ``folder_id`` is the folder that the token is narrowed to. ``reach`` holds the permissions of the actor and their groups, and what
    everyone in the tenant has; the gateway fills it once per request, with what is at most 0.8 s old.
    """

    tenant: Tenant
    user_id: UUID
    role: Role
    scopes: frozenset[Scope] = ALL_SCOPES
    kind: ActorKind = ActorKind.USER
    groups: tuple[UUID, ...] = ()
    folder_id: UUID | None = None
    reach: Reach = NO_REACH
    session_id: UUID | None = None
    token_id: UUID | None = None
    address: str | None = None
    given: frozenset[Permission] | None = None
    """What a role of the tenant's own allows; ``None``: what the built-in one does."""
    impersonation: Impersonation | None = None
    """The operator who acts here, where one looks at the tenant as this member."""

    @property
    def id(self) -> UUID:
        """Who acts, of the kind ``kind``: a user or a link."""
        return self.user_id

    @property
    def principal_ids(self) -> tuple[UUID, ...]:
        """All principals whose permissions the actor has: themselves, their groups, everyone in the tenant; of a guest themselves alone."""
        if self.kind is not ActorKind.USER or self.is_guest:
            return (self.user_id,)
        return (self.user_id, EVERYONE_ID, *self.groups)

    @property
    def ceiling(self) -> int:
        """The mask of what role and token allow at most, wherever it is."""
        allowed = EVERYTHING if Scope.FILES_WRITE in self.scopes else READING
        if self.impersonation is not None and not self.impersonation.may_open:
            allowed = LOOKING
        return self.role.ceiling & allowed

    @property
    def is_guest(self) -> bool:
        """Whether the actor is no member, and has only what was shared with them."""
        return self.role is Role.GUEST

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the actor's role allows in the tenant."""
        return self.role.permissions if self.given is None else self.given

    def may(self, *permissions: Permission) -> bool:
        """Whether the actor's role allows one of these; links and their like are allowed nothing."""
        return self.kind is ActorKind.USER and any(permission in self.permissions for permission in permissions)

    def require_permission(self, *permissions: Permission) -> None:
        """Refuse who has none of these permissions.

        :raises NotForGuests: the actor is a guest, who has none.
        :raises PermissionMissing: the actor's role allows none of them.
        """
        self.require_member()
        if not self.may(*permissions):
            raise PermissionMissing(
                "This needs a role with one of these permissions: %(permissions)s.",
                permissions=[permission.value for permission in permissions],
            )

    def require_member(self) -> None:
        """Refuse a guest.

        :raises NotForGuests: the actor is one.
        """
        if self.is_guest:
            raise NotForGuests

    def require_scope(self, scope: Scope) -> None:
        """Refuse a credential that was not made for this.

        :raises ScopeMissing: the token lacks ``scope``.
        """
        if scope not in self.scopes:
            raise ScopeMissing("This needs a token with the scope %(scope)s.", scope=scope.value)
