"""Who does something: the one value that every door takes to judge a right by."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from bitvault.kernel.errors import Forbidden
from bitvault.kernel.tenancy import Tenant


class Role(StrEnum):
    """What a member is in a tenant, strongest first."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


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


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of a tenant who acts, and by which credential."""

    tenant: Tenant
    user_id: UUID
    role: Role
    scopes: frozenset[Scope] = ALL_SCOPES
    session_id: UUID | None = None
    token_id: UUID | None = None
    address: str | None = None

    @property
    def administers(self) -> bool:
        """Whether the actor may administer the tenant."""
        return self.role in (Role.OWNER, Role.ADMIN)

    def require_scope(self, scope: Scope) -> None:
        """Refuse a credential that was not made for this.

        :raises ScopeMissing: the token lacks ``scope``.
        """
        if scope not in self.scopes:
            raise ScopeMissing(f"This needs a token with the scope {scope.value}.", scope=scope.value)
