"""DRF's permission classes of the toolkit's views: which credential may be used for a route. Rights on things are judged behind doors."""

from typing import Any, ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.errors import Unauthenticated
from bitvault.kernel.permissions import Permission


class HasActor(BasePermission):
    """Lets everybody in who is known, whatever the credential's scopes."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Look for the actor that authentication has found.

        :raises Unauthenticated: there is none.
        """
        if getattr(request, "actor", None) is None:
            raise Unauthenticated
        return True


class HasScope(HasActor):
    """Lets in whose credential carries the scope for the method; sessions carry all of them. Made by ``of``."""

    read: ClassVar[Scope | None]
    """None: whoever is known may read."""
    write: ClassVar[Scope]

    @classmethod
    def of(cls, read: Scope | None, *, write: Scope | None = None) -> type["HasScope"]:
        """Ask for a scope to read (None: for none), and for another one (or the same) for all other methods."""
        return type(cls.__name__, (cls,), {"read": read, "write": write or read})

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare the scopes.

        :raises Unauthenticated: nobody is known.
        :raises ScopeMissing: the credential lacks the scope.
        """
        super().has_permission(request, view)
        actor: Actor = request.actor  # type: ignore[attr-defined] # set by authentication
        scope = self.read if request.method in SAFE_METHODS else self.write
        if scope is not None:
            actor.require_scope(scope)
        return True


class HasPermission(HasScope):
    """Lets in whose role has one of the permissions that the route names, by a credential with the scope for it. Made by ``of``."""

    permissions: ClassVar[tuple[Permission, ...]]
    write_permissions: ClassVar[tuple[Permission, ...]]
    others: ClassVar[str]
    """Who else gets through, whom the door judges; empty: nobody."""

    @classmethod
    def to(
        cls,
        *permissions: Permission,
        write: Permission | None = None,
        read: Scope | None = Scope.ADMIN,
        scope: Scope = Scope.ADMIN,
        others: str = "",
    ) -> type["HasPermission"]:
        """Ask for one of some permissions, and for ``write`` (or the same) for methods that change something.

        :param read: the scope to read; anything but the one of administration says that reading is no administration, and needs none of the
            permissions.
        :param others: who else gets through by what they are to the thing itself; the door judges it.
        """
        names = {"read": read, "write": scope, "permissions": permissions, "others": others}
        return type(cls.__name__, (cls,), {**names, "write_permissions": permissions if write is None else (write,)})

    @classmethod
    def names_for(cls, method: str) -> tuple[Permission, ...]:
        """Give the permissions of which a method needs one; none where it is no administration."""
        if method not in SAFE_METHODS:
            return cls.write_permissions
        return cls.permissions if cls.read is Scope.ADMIN else ()

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare scopes and permissions.

        :raises Unauthenticated: nobody is known.
        :raises ScopeMissing: the credential lacks the scope.
        :raises PermissionMissing: the role lacks the permission.
        """
        super().has_permission(request, view)
        named = self.names_for(request.method or "")
        if named and not self.others:
            request.actor.require_permission(*named)  # type: ignore[attr-defined] # set by authentication
        return True
