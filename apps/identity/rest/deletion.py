"""The deletion of the tenant over REST."""

from typing import Annotated

from msgspec import Meta
from rest_framework.response import Response

from apps.identity import api, dtos, errors
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


class RequestDeletion(Body, frozen=True):
    """The name of the vault, typed by who has it deleted."""

    name: Annotated[str, Meta(max_length=120)]


class TenantDeletion(View):
    """The deletion of the caller's tenant."""

    permission_classes = [HasPermission.to(Permission.DELETE_VAULT)]

    @operation(
        body=RequestDeletion, answer=dtos.Deletion, status=201, problems=(errors.DeletionPending, errors.NameDiffers)
    )
    def post(self, request: ActorRequest) -> Response:
        """Have the vault deleted, with all that is in it, when the waiting time is over; for owners. Owners and administrators are written
        to, and every page tells of it.
        """
        body = request.body_as(RequestDeletion)
        return Response(api.request_deletion(actor=request.actor, name=body.name), status=201)

    @operation(status=204)
    def delete(self, request: ActorRequest) -> Response:
        """Take that back; the vault stays as it is."""
        api.withdraw_deletion(actor=request.actor)
        return Response(status=204)
