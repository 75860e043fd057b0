"""Jobs over REST: what was asked for, how far it is, what came of it."""

from typing import Annotated
from uuid import UUID

import msgspec
from django.http import HttpResponse

from bitvault.jobs import api
from bitvault.jobs.dtos import Job, State
from bitvault.jobs.errors import JobFinished
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT, BadCursor, Page
from bitvault.web.views import ActorRequest, Query, View, operation


class ListJobs(Query, frozen=True):
    """Which jobs."""

    kind: str | None = None
    state: State | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
    cursor: str | None = None


class Jobs(View):
    """Work that takes longer than a request."""

    @operation(query=ListJobs, answer=Page[Job], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> HttpResponse:
        """List jobs that the caller has asked for, newest first; administrators see all of the tenant."""
        query = self.parse_query(ListJobs, request)
        page = api.list_jobs(
            actor=request.actor, kind=query.kind, state=query.state, cursor=query.cursor, limit=query.limit
        )
        return self.render(page)


class JobDetail(View):
    """One job."""

    publishes = False
    # Whoever may ask for work may also do without it.
    write_scope = Scope.FILES_READ

    @operation(answer=Job, problems=(NotFound,))
    def get(self, request: ActorRequest, job_id: UUID) -> HttpResponse:
        """Read how far it is; `result` is there once it is done, `problem` when a try has failed."""
        return self.render(api.get_job(actor=request.actor, job_id=job_id))

    @operation(status=204, problems=(NotFound, JobFinished))
    def delete(self, request: ActorRequest, job_id: UUID) -> HttpResponse:
        """Cancel it: at once where it waits, and where it runs as soon as it has come to its next step."""
        api.cancel_job(actor=request.actor, job_id=job_id)
        return self.render(status=204)
