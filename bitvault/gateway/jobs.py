"""Jobs over REST: what was asked for, how far it is, what came of it."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from bitvault.jobs import api
from bitvault.jobs.dtos import Job, State
from bitvault.jobs.errors import JobFinished
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class ListJobs(PageQuery, frozen=True):
    """Which jobs."""

    kind: str | None = None
    state: State | None = None


class Jobs(View):
    """Work that takes longer than a request."""

    @operation(query=ListJobs, answer=Page[Job], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List jobs that the caller has asked for, newest first; administrators see all of the tenant."""
        query = request.query_as(ListJobs)
        return self.paginate(partial(api.list_jobs, actor=request.actor, kind=query.kind, state=query.state))


class JobDetail(View):
    """One job."""

    publishes = False
    # Whoever may ask for work may also do without it.
    permission_classes = [HasScope.of(Scope.FILES_READ)]

    @operation(answer=Job, problems=(NotFound,))
    def get(self, request: ActorRequest, job_id: UUID) -> Response:
        """Read how far it is; `result` is there once it is done, `problem` when a try has failed."""
        return Response(api.get_job(actor=request.actor, job_id=job_id))

    @operation(status=204, problems=(NotFound, JobFinished))
    def delete(self, request: ActorRequest, job_id: UUID) -> Response:
        """Cancel it: at once where it waits, and where it runs as soon as it has come to its next step."""
        api.cancel_job(actor=request.actor, job_id=job_id)
        return Response(status=204)
