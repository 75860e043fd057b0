"""Groups over REST."""

from functools import partial
from uuid import UUID

from msgspec import UNSET
from rest_framework.response import Response

from apps.identity import api, dtos, errors
from apps.identity.rest import schemas
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Groups(View):
    """The groups of the tenant."""

    permission_classes = [HasPermission.to(Permission.MANAGE_GROUPS, others="every member, to read")]

    @operation(query=PageQuery, answer=Page[dtos.Group])
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first, each with how many people are in it itself."""
        return self.paginate(partial(api.list_groups, actor=request.actor))

    @operation(
        body=schemas.CreateGroup,
        answer=dtos.Group,
        status=201,
        problems=(errors.GroupNameTaken, errors.GroupsNestedTooDeep, errors.InvalidLabel),
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one. The people of a group with a `parent_id` belong to that one too; such a group holds no further ones."""
        body = request.body_as(schemas.CreateGroup)
        made = api.create_group(actor=request.actor, name=body.name, parent_id=body.parent_id)
        return Response(made, status=201)


class GroupDetail(View):
    """One group."""

    permission_classes = [HasPermission.to(Permission.MANAGE_GROUPS)]

    @operation(
        body=schemas.UpdateGroup,
        answer=dtos.Group,
        problems=(errors.GroupNameTaken, errors.GroupsNestedTooDeep, errors.InvalidLabel),
    )
    def patch(self, request: ActorRequest, group_id: UUID) -> Response:
        """Give it another name, or another group to lie in; `"parent_id": null` takes it out."""
        body = request.body_as(schemas.UpdateGroup)
        changed = api.update_group(
            actor=request.actor,
            group_id=group_id,
            name=body.name,
            parent_id=None if body.parent_id is UNSET else body.parent_id,
            changes_parent=body.parent_id is not UNSET,
        )
        return Response(changed)

    @operation(status=204)
    def delete(self, request: ActorRequest, group_id: UUID) -> Response:
        """Delete it: what was opened to it is open to its people no more."""
        api.delete_group(actor=request.actor, group_id=group_id)
        return Response(status=204)


class GroupMembers(View):
    """Who is in a group."""

    permission_classes = [HasPermission.to(Permission.MANAGE_GROUPS, others="who is in the group")]

    @operation(query=PageQuery, answer=Page[dtos.GroupMember])
    def get(self, request: ActorRequest, group_id: UUID) -> Response:
        """List them, latest first; for who manages groups and who is in it."""
        return self.paginate(partial(api.list_group_members, actor=request.actor, group_id=group_id))


class GroupMemberDetail(View):
    """Somebody in a group."""

    permission_classes = [HasPermission.to(Permission.MANAGE_GROUPS, others="who is in the group, and its managers")]

    @operation(answer=dtos.GroupMember)
    def get(self, request: ActorRequest, group_id: UUID, user_id: UUID) -> Response:
        """Tell whether they manage it; 404 for who is not in it."""
        return Response(api.get_group_member(actor=request.actor, group_id=group_id, user_id=user_id))

    @operation(body=schemas.PutGroupMember, answer=dtos.GroupMember)
    def put(self, request: ActorRequest, group_id: UUID, user_id: UUID) -> Response:
        """Put them in; by who manages groups, and the group's managers. Only the former say who manages it."""
        body = request.body_as(schemas.PutGroupMember)
        member = api.put_group_member(
            actor=request.actor, group_id=group_id, user_id=user_id, is_manager=body.is_manager
        )
        return Response(member)

    @operation(status=204)
    def delete(self, request: ActorRequest, group_id: UUID, user_id: UUID) -> Response:
        """Take them out, or leave it."""
        api.remove_group_member(actor=request.actor, group_id=group_id, user_id=user_id)
        return Response(status=204)
