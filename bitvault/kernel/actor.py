"""Who does something: the one value that every door takes to judge a right by."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from bitvault.kernel.capabilities import EVERYONE_ID, EVERYTHING, NO_REACH, READING, WORKING, Reach
from bitvault.kernel.errors import Forbidden
from bitvault.kernel.tenancy import Tenant


class ActorKind(StrEnum):
    """What sort of principal acts."""

    USER = "user"
    LINK = "link"


class Role(StrEnum):
    """What a person is in a tenant, strongest first. Guests are no members: they have what is shared with them and nothing else."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"
    GUEST = "guest"

    @property
    def ceiling(self) -> int:
        """The mask of what the role allows at most, wherever it is: guests decide of nothing who else has it."""
        return {Role.VIEWER: READING, Role.GUEST: WORKING}.get(self, EVERYTHING)


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
        return self.role.ceiling & (EVERYTHING if Scope.FILES_WRITE in self.scopes else READING)

    @property
    def is_guest(self) -> bool:
        """Whether the actor is no member, and has only what was shared with them."""
        return self.role is Role.GUEST

    @property
    def administers(self) -> bool:
        """Whether the actor may administer the tenant."""
        return self.role in (Role.OWNER, Role.ADMIN)

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
            raise ScopeMissing(f"This needs a token with the scope {scope.value}.", scope=scope.value)
