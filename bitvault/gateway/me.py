"""``GET /me``: who the caller is (identity) and where their own files begin (files)."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from apps.files import api as files
from apps.identity import api as identity
from apps.identity import dtos
from bitvault.kernel.actor import Role, Scope
from bitvault.web.address import SOCKET_PATH, socket_origin
from bitvault.web.views import ActorRequest, View, operation


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, where, as what, with which rights, the folder that is theirs, and where sockets are opened (with a ticket)."""

    user: dtos.User
    tenant: dtos.TenantInfo
    role: Role
    scopes: list[Scope]
    root_id: UUID
    socket_url: str


class Me(View):
    """The caller. Any credential may ask, whatever its scopes."""

    def admit(self, request: Request) -> None:
        """Find out who asks, and ask for no scope."""
        self.perform_authentication(request)
        self.check_throttles(request)

    @operation(answer=Caller)
    def get(self, request: ActorRequest) -> HttpResponse:
        """Tell the caller who they are here."""
        profile = identity.get_profile(actor=request.actor)
        root = files.ensure_personal_root(actor=request.actor)
        return self.render(
            Caller(
                user=profile.user,
                tenant=profile.tenant,
                role=profile.role,
                scopes=profile.scopes,
                root_id=root.id,
                socket_url=f"{socket_origin(request)}{SOCKET_PATH}",
            )
        )
