"""``GET /me``: who the caller is (identity) and where their own files begin (files)."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from rest_framework.response import Response

from apps.files import api as files
from apps.identity import api as identity
from apps.identity import dtos
from apps.identity.errors import InvalidLabel, InvalidLocale, InvalidTimeZone
from bitvault.kernel.actor import Role, Scope
from bitvault.kernel.permissions import Permission
from bitvault.web.address import SOCKET_PATH, socket_origin
from bitvault.web.operations import operation
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, where, as what, with which rights, the folder that is theirs (not for guests), and where sockets are opened."""

    user: dtos.User
    tenant: dtos.TenantInfo
    role: Role
    scopes: list[Scope]
    permissions: list[Permission]
    root_id: UUID | None
    socket_url: str


class UpdateCaller(Body, frozen=True):
    """What people say of themselves; an empty ``locale`` or ``time_zone`` leaves the choice to the tenant and the browser."""

    name: Annotated[str, Meta(max_length=120)] | None = None
    locale: Annotated[str, Meta(max_length=16)] | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None


class Me(View):
    """The caller. Any credential may ask, whatever its scopes; what people say of themselves is changed by their account."""

    permission_classes = [HasScope.of(None, write=Scope.ACCOUNT)]

    @operation(answer=Caller)
    def get(self, request: ActorRequest) -> Response:
        """Tell the caller who they are here."""
        return self._show(request)

    @operation(body=UpdateCaller, answer=Caller, problems=(InvalidLabel, InvalidLocale, InvalidTimeZone))
    def patch(self, request: ActorRequest) -> Response:
        """Change the caller's name, language or time zone; what is left out stays."""
        body = request.body_as(UpdateCaller)
        identity.update_profile(actor=request.actor, name=body.name, locale=body.locale, time_zone=body.time_zone)
        return self._show(request)

    def _show(self, request: ActorRequest) -> Response:
        profile = identity.get_profile(actor=request.actor)
        is_guest = request.actor.is_guest
        root = None if is_guest else files.ensure_personal_root(actor=request.actor)
        return Response(
            Caller(
                user=profile.user,
                tenant=profile.tenant,
                role=profile.role,
                scopes=profile.scopes,
                permissions=profile.permissions,
                root_id=None if root is None else root.id,
                socket_url=f"{socket_origin(request)}{SOCKET_PATH}",
            )
        )
