"""Views of legal holds and retention rules: parse → door → render. Making one asks Annotations for the tag, and so is the gateway's."""

from functools import partial
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from rest_framework.response import Response

from apps.files import errors
from apps.files.api import retention
from apps.files.dtos import retention as dtos
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View

Days = Annotated[int, Meta(ge=1, le=dtos.DAYS_LIMIT)]


class ChangePolicy(Body, frozen=True):
    """What a hold or a rule is to be from now on; what is left out stays."""

    name: Annotated[str, Meta(min_length=1, max_length=dtos.NAME_LIMIT)] | None = None
    reason: Annotated[str, Meta(max_length=dtos.REASON_LIMIT)] | None = None
    keep_days: Days | None = None
    delete_after_days: Days | None = None


class PolicyDetail(View):
    """One legal hold or retention rule."""

    permission_classes = [HasPermission.to(Permission.MANAGE_RETENTION)]

    @operation(answer=dtos.RetentionPolicy)
    def get(self, request: ActorRequest, policy_id: UUID) -> Response:
        """Read it; one that has been lifted, too."""
        return Response(retention.get_policy(actor=request.actor, policy_id=policy_id))

    @operation(body=ChangePolicy, answer=dtos.RetentionPolicy, problems=(errors.RetentionOver, errors.RetentionUnfit))
    def patch(self, request: ActorRequest, policy_id: UUID) -> Response:
        """Give it another name or reason, or a rule other lengths."""
        body = request.body_as(ChangePolicy)
        changed = retention.change_policy(
            actor=request.actor,
            policy_id=policy_id,
            name=body.name,
            reason=body.reason,
            keep_days=body.keep_days,
            delete_after_days=body.delete_after_days,
        )
        return Response(changed)

    @operation(status=204)
    def delete(self, request: ActorRequest, policy_id: UUID) -> Response:
        """Lift it: it keeps and deletes nothing any more, and stays in the list of what has been lifted."""
        retention.lift_policy(actor=request.actor, policy_id=policy_id)
        return Response(status=204)


class PolicyNodes(View):
    """What a policy covers."""

    permission_classes = [HasPermission.to(Permission.MANAGE_RETENTION)]

    @operation(query=PageQuery, answer=Page[dtos.RetainedNode], problems=(BadCursor,))
    def get(self, request: ActorRequest, policy_id: UUID) -> Response:
        """Read a page of the nodes that it names; with each of them all below it is covered. One of the whole vault names none."""
        return self.paginate(partial(retention.list_retained, actor=request.actor, policy_id=policy_id))


class NodeRetention(View):
    """What keeps a node."""

    @operation(answer=Page[dtos.Retention])
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List the holds and rules that cover it, in one page; names of holds are told to who manages retention alone."""
        return Response(Page(retention.list_retention(actor=request.actor, node_id=node_id)))
