"""Legal holds and retention rules over REST, as far as they take several modules: Annotations knows tags, Files keeps what has one."""

from datetime import timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from rest_framework.response import Response

from apps.annotations import api as annotations
from apps.files import errors
from apps.files.api import retention
from apps.files.dtos import retention as dtos
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View

Days = Annotated[int, Meta(ge=1, le=dtos.DAYS_LIMIT)]


class ListPolicies(PageQuery, frozen=True):
    """Those in force, or those that have been lifted."""

    lifted: bool = False


class MakePolicy(Body, frozen=True):
    """A hold or a rule, and what it is about: of `node_id` (`folder`), `user_id` (`person`) and `tag_id` (`tag`) the one that `target`
    names.
    """

    kind: dtos.RetentionKind
    name: Annotated[str, Meta(min_length=1, max_length=dtos.NAME_LIMIT)]
    target: dtos.RetentionTarget
    node_id: UUID | None = None
    user_id: UUID | None = None
    tag_id: UUID | None = None
    reason: Annotated[str, Meta(max_length=dtos.REASON_LIMIT)] = ""
    keep_days: Days | None = None
    delete_after_days: Days | None = None
    tells_owner: bool = False


class Policies(View):
    """The legal holds and retention rules of the tenant."""

    permission_classes = [HasPermission.to(Permission.MANAGE_RETENTION)]

    @operation(query=ListPolicies, answer=Page[dtos.RetentionPolicy], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """Read a page of them, newest first."""
        query = request.query_as(ListPolicies)
        return self.paginate(partial(retention.list_policies, actor=request.actor, lifted=query.lifted))

    @operation(
        body=MakePolicy,
        answer=dtos.RetentionPolicy,
        status=201,
        problems=(NotFound, errors.RetentionUnfit, errors.TooManyPolicies),
        repeatable=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Put something on hold, or make a rule.

        A hold keeps all that it covers until it is lifted: things go into the trash, and nothing is deleted permanently. A rule keeps a
        file for `keep_days` after its content last changed, and puts it into the trash `delete_after_days` after that.
        """
        body = request.body_as(MakePolicy)
        return self.repeatable(request, partial(_make, request, body))


def _make(request: ActorRequest, body: MakePolicy) -> dtos.RetentionPolicy:
    tag = None if body.tag_id is None else annotations.get_tag(actor=request.actor, tag_id=body.tag_id)
    return retention.make_policy(
        actor=request.actor,
        kind=body.kind,
        name=body.name,
        target=body.target,
        node_id=body.node_id,
        user_id=body.user_id,
        tag=tag,
        reason=body.reason,
        keep_days=body.keep_days,
        delete_after_days=body.delete_after_days,
        tells_owner=body.tells_owner,
    )


@jobs.job_kind(
    retention.COVER_JOB,
    payload=retention.CoverTagged,
    lane=jobs.BULK,
    tries=20,
    timeout=timedelta(hours=1),
    scope=Scope.ADMIN,
)
def cover_tagged(payload: retention.CoverTagged, run: jobs.Run) -> int:
    """Name all nodes that have the tag of a hold or a rule; what gets it later, the stream tells. Returns how many have it."""
    count = 0
    after: UUID | None = None
    while retention.is_policy_in_force(policy_id=payload.policy_id):
        page = annotations.list_tagged_rows(after=after)
        node_ids = [row.node_id for row in page.items if payload.tag_id in row.tag_ids]
        retention.cover_tagged(policy_id=payload.policy_id, node_ids=node_ids)
        count += len(node_ids)
        run.report(count)
        if not page.items:
            retention.finish_covering(policy_id=payload.policy_id)
            break
        after = page.items[-1].node_id
    return count
