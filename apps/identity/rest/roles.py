"""The roles of a tenant over REST."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta
from rest_framework.response import Response

from apps.identity import api, dtos, errors
from bitvault.kernel.actor import Role
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import SEEING_MEMBERS, Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body, Query
from bitvault.web.views import View

Base = Literal["member", "viewer"]
Permissions = Annotated[list[Permission], Meta(max_length=len(Permission))]

_UNFIT = (errors.InvalidLabel, errors.RoleNameTaken, errors.RoleTooStrong, errors.UnknownRole)


class CreateRole(Body, frozen=True):
    """A role to be made. ``base`` says whether its people work with files (`member`) or look at them (`viewer`)."""

    name: str
    permissions: Permissions
    base: Base = "member"


class UpdateRole(Body, frozen=True):
    """What a role is to be from now on; what is left out stays."""

    name: str | None = None
    permissions: Permissions | None = None
    base: Base | None = None


class DeleteRole(Query, frozen=True):
    """The id of the role that its people get instead; needed while somebody has it."""

    successor_id: UUID | None = None


class Roles(View):
    """The roles of the tenant."""

    permission_classes = [HasPermission.to(Permission.MANAGE_ROLES, *SEEING_MEMBERS, write=Permission.MANAGE_ROLES)]

    @operation(answer=Page[dtos.TenantRole])
    def get(self, request: ActorRequest) -> Response:
        """List them in one page: the built-in ones strongest first, then the tenant's own by name."""
        return Response(Page(api.list_roles(actor=request.actor)))

    @operation(body=CreateRole, answer=dtos.TenantRole, status=201, problems=(*_UNFIT, errors.TooManyRoles))
    def post(self, request: ActorRequest) -> Response:
        """Make one of the tenant's own. It allows nothing that the caller may not do themselves."""
        body = request.body_as(CreateRole)
        made = api.create_role(actor=request.actor, name=body.name, base=Role(body.base), permissions=body.permissions)
        return Response(made, status=201)


class RoleDetail(View):
    """One role of the tenant's own."""

    permission_classes = [HasPermission.to(Permission.MANAGE_ROLES)]

    @operation(body=UpdateRole, answer=dtos.TenantRole, problems=(*_UNFIT, errors.RoleBuiltIn))
    def patch(self, request: ActorRequest, role_id: UUID) -> Response:
        """Change it, for all who have it; within a second it holds everywhere."""
        body = request.body_as(UpdateRole)
        changed = api.update_role(
            actor=request.actor,
            role_id=role_id,
            name=body.name,
            base=None if body.base is None else Role(body.base),
            permissions=body.permissions,
        )
        return Response(changed)

    @operation(
        query=DeleteRole,
        status=204,
        problems=(errors.RoleBuiltIn, errors.RoleInUse, errors.RoleTooStrong, errors.UnknownRole),
    )
    def delete(self, request: ActorRequest, role_id: UUID) -> Response:
        """Delete it. Who has it, or is invited with it, gets the role of `successor_id`."""
        query = request.query_as(DeleteRole)
        api.delete_role(actor=request.actor, role_id=role_id, successor_id=query.successor_id)
        return Response(status=204)
