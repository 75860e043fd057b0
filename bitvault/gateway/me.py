"""``GET /me``: who the caller is (identity) and where their own files begin (files)."""

from dataclasses import dataclass
from uuid import UUID

from rest_framework.response import Response

from apps.files import api as files
from apps.identity import api as identity
from apps.identity import dtos
from bitvault.kernel.actor import Role, Scope
from bitvault.web.address import SOCKET_PATH, socket_origin
from bitvault.web.operations import operation
from bitvault.web.permissions import HasActor
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


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

    permission_classes = [HasActor]

    @operation(answer=Caller)
    def get(self, request: ActorRequest) -> Response:
        """Tell the caller who they are here."""
        profile = identity.get_profile(actor=request.actor)
        root = files.ensure_personal_root(actor=request.actor)
        return Response(
            Caller(
                user=profile.user,
                tenant=profile.tenant,
                role=profile.role,
                scopes=profile.scopes,
                root_id=root.id,
                socket_url=f"{socket_origin(request)}{SOCKET_PATH}",
            )
        )
