"""People over REST: members, invitations, and the two routes of whoever has an invitation's code."""

from functools import partial
from typing import Any
from uuid import UUID

from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from apps.identity import api, dtos, errors
from apps.identity.api import pictures
from apps.identity.rest import schemas
from bitvault.kernel.errors import Unauthenticated
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import SEEING_MEMBERS, Permission
from bitvault.web.address import client_address
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Members(View):
    """The people in the tenant."""

    permission_classes = [HasPermission.to(*SEEING_MEMBERS)]

    @operation(query=schemas.PageOfMembers, answer=Page[dtos.Member])
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first. `q` is a part of a name or an address."""
        query = request.query_as(schemas.PageOfMembers)
        return self.paginate(
            partial(
                api.list_members,
                actor=request.actor,
                text=query.q,
                role=query.role,
                role_id=query.role_id,
                state=query.state,
            )
        )


class MemberDetail(View):
    """One person in the tenant, by the id of the membership or of the person."""

    permission_classes = [HasPermission.to(Permission.MANAGE_MEMBERS, others="oneself, to leave")]

    @operation(
        body=schemas.UpdateMember,
        answer=dtos.Member,
        problems=(
            errors.GuestLimitReached,
            errors.LastOwner,
            errors.MemberLimitReached,
            errors.RoleTooStrong,
            errors.UnknownRole,
        ),
    )
    def patch(self, request: ActorRequest, member_id: UUID) -> Response:
        """Give them another role, deactivate or reactivate them; who is deactivated is let in nowhere here within a second."""
        body = request.body_as(schemas.UpdateMember)
        member = api.update_member(
            actor=request.actor, member_id=member_id, role=body.role, role_id=body.role_id, state=body.state
        )
        return Response(member)

    @operation(
        query=schemas.RemoveMember,
        status=204,
        problems=(errors.InvalidSuccessor, errors.LastOwner, errors.RoleTooStrong),
    )
    def delete(self, request: ActorRequest, member_id: UUID) -> Response:
        """Put them out, or leave oneself. Sessions and tokens end at once; jobs hand over what they hold to the successor."""
        query = request.query_as(schemas.RemoveMember)
        api.end_membership(actor=request.actor, member_id=member_id, successor_id=query.successor_id)
        return Response(status=204)


class MemberPicture(View):
    """The picture of somebody else in the tenant."""

    permission_classes = [HasPermission.to(Permission.MANAGE_MEMBERS)]

    @operation(status=204, problems=(errors.RoleTooStrong,))
    def delete(self, request: ActorRequest, member_id: UUID) -> Response:
        """Remove it for good, where it does not belong here; a second time changes nothing."""
        pictures.remove_picture_of(actor=request.actor, member_id=member_id)
        return Response(status=204)


class Invitations(View):
    """Who is invited to the tenant and has not come yet."""

    permission_classes = [HasPermission.to(Permission.INVITE_MEMBERS)]

    @operation(query=PageQuery, answer=Page[dtos.Invitation])
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first; expired ones too, for they can be sent again."""
        return self.paginate(partial(api.list_invitations, actor=request.actor))

    @operation(
        body=schemas.Invite,
        answer=dtos.Invitation,
        status=201,
        idempotent=True,
        problems=(
            errors.AlreadyInvited,
            errors.AlreadyMember,
            errors.DomainNotAllowed,
            errors.EmailNotProved,
            errors.InvalidEmail,
            errors.InvalidLabel,
            errors.MemberLimitReached,
            errors.RoleTooStrong,
            errors.UnknownRole,
        ),
    )
    def post(self, request: ActorRequest) -> Response:
        """Invite an address and write to it. The code is in that mail alone and is good for seven days and one use. The same request once
        more gets the same answer and sends no second mail.
        """
        body = request.body_as(schemas.Invite)
        made = api.invite(
            actor=request.actor, email=body.email, role=body.role, role_id=body.role_id, message=body.message
        )
        return Response(made, status=201)


class InvitationDetail(View):
    """One invitation."""

    permission_classes = [HasPermission.to(Permission.INVITE_MEMBERS)]

    @operation(status=204, problems=(errors.RoleTooStrong,))
    def delete(self, request: ActorRequest, invitation_id: UUID) -> Response:
        """Withdraw it; its code is good for nothing from here on."""
        api.withdraw_invitation(actor=request.actor, invitation_id=invitation_id)
        return Response(status=204)


class InvitationResend(View):
    """An invitation that is to be sent again."""

    permission_classes = [HasPermission.to(Permission.INVITE_MEMBERS)]

    @operation(
        answer=dtos.Invitation,
        problems=(
            errors.DomainNotAllowed,
            errors.EmailNotProved,
            errors.GuestLimitReached,
            errors.MemberLimitReached,
            errors.RoleTooStrong,
        ),
    )
    def post(self, request: ActorRequest, invitation_id: UUID) -> Response:
        """Send it with another code, good for seven days from now; the code before is good no more."""
        return Response(api.resend_invitation(actor=request.actor, invitation_id=invitation_id))


class PublicInvitation(View):
    """An invitation, for whoever has its code."""

    limit_class = RouteClass.SIGN_IN
    authentication_classes = []
    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[Any]:
        """Ask for no credential, and do not pass over one that comes."""
        # The generator of the OpenAPI document has no request yet.
        brings = "Authorization" in getattr(self.request, "headers", {})
        return [kind() for kind in View.authentication_classes] if brings else []

    @operation(answer=dtos.OpenedInvitation, problems=(errors.InvalidInvitation,))
    def get(self, request: ActorRequest, code: str) -> Response:
        """Tell who invites whom, and whether the address has an account already. Looking uses nothing up."""
        return Response(api.open_invitation(code=code, address=client_address(request)))

    @operation(
        body=schemas.AcceptInvitation,
        answer=dtos.SignedIn,
        status=201,
        problems=(
            Unauthenticated,
            errors.InvalidCredentials,
            errors.InvalidInvitation,
            errors.InvalidLabel,
            errors.WeakPassword,
        ),
    )
    def post(self, request: ActorRequest, code: str) -> Response:
        """Accept it: with a name and a new password as somebody new, with the password of the account that the address has, or with
        neither by a token of that account. `tenants` of the answer is the one that was joined.
        """
        body = request.body_as(schemas.AcceptInvitation)
        address = client_address(request)
        actor = getattr(request, "actor", None)
        if body.password is not None:
            accepted = api.accept_invitation_by_password(
                code=code, name=body.name, password=body.password, address=address
            )
        elif actor is not None:
            accepted = api.accept_invitation_as_actor(code=code, actor=actor, address=address)
        else:
            raise Unauthenticated
        return Response(accepted, status=201)
