"""DRF's permission classes of the toolkit's views: which credential may be used for a route. Rights on things are judged behind doors."""

from typing import Any, ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.errors import Unauthenticated


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
