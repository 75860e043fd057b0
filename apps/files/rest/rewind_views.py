"""Views of rewinds: parse → door → render. The job that carries one out charges what comes back, and so is the gateway's."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.files import errors
from apps.files.api import rewinds
from apps.files.dtos.history import ChangedDays, ChangedMoments, Rewind, RewindActors, RewindItem
from apps.files.rest import schemas
from bitvault.events.api import BeyondHead
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Actor, PermissionMissing
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_PLANNING = (
    errors.RewindUnfit,
    errors.BadMoment,
    errors.HistoryTooShort,
    errors.HistoryBehind,
    BeyondHead,
)


_SURVEYING = (errors.NotAFolder, errors.BadMoment, errors.HistoryBehind)


class NodeRewind(View):
    """Rewinds of a folder."""

    @operation(
        body=schemas.PlanRewind,
        answer=Rewind,
        status=201,
        repeatable=True,
        problems=(*_PLANNING, errors.NotAFolder, errors.NotThereThen),
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Plan a rewind of a folder that the caller manages: what would change is written down, and nothing is changed.

        Then `/rewinds/{id}/items` tells what would change, and `/rewinds/{id}/run` carries it out.
        """
        return self.repeatable(request, lambda: _plan(request.actor, node_id, request.body_as(schemas.PlanRewind)))


class NodeRewindDays(View):
    """How much was changed on which day."""

    @operation(query=schemas.ListChangedDays, answer=ChangedDays, problems=_SURVEYING)
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Count what was changed in a folder, and in all below it, on each of the last days; for who manages it."""
        query = request.query_as(schemas.ListChangedDays)
        found = rewinds.list_changed_days(actor=request.actor, folder_id=node_id, days=query.days, zone=query.zone)
        return Response(found)


class NodeRewindMoments(View):
    """When something was changed on a day."""

    @operation(query=schemas.ListChangedMoments, answer=ChangedMoments, problems=_SURVEYING)
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List when something was changed on a day, and by whom; `before` is the moment to go back to. For who manages the folder."""
        query = request.query_as(schemas.ListChangedMoments)
        found = rewinds.list_changed_moments(actor=request.actor, folder_id=node_id, day=query.day, zone=query.zone)
        return Response(found)


class NodeRewindActors(View):
    """Whose doings can be undone."""

    @operation(
        query=schemas.ListRewindActors,
        answer=RewindActors,
        problems=(*_SURVEYING, errors.HistoryTooShort, BeyondHead),
    )
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List who changed something in a folder in an interval, and by which devices and tokens; for who manages it."""
        query = request.query_as(schemas.ListRewindActors)
        found = rewinds.list_rewind_actors(actor=request.actor, folder_id=node_id, since=query.since, until=query.until)
        return Response(found)


class Rewinds(View):
    """The caller's rewinds, and one of what somebody did wherever the caller manages."""

    @operation(query=schemas.ListRewinds, answer=Page[Rewind], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """Read a page of the rewinds that the caller has asked for, newest first."""
        return self.paginate(partial(rewinds.list_rewinds, actor=request.actor))

    @operation(
        body=schemas.PlanRewind,
        answer=Rewind,
        status=201,
        repeatable=True,
        problems=(*_PLANNING, PermissionMissing),
    )
    def post(self, request: ActorRequest) -> Response:
        """Plan to undo what a person, device or token did in an interval, wherever the caller manages; for who manages team folders.

        `hidden_count` tells how much they changed where the caller may not look.
        """
        return self.repeatable(request, lambda: _plan(request.actor, None, request.body_as(schemas.PlanRewind)))


class RewindDetail(View):
    """One rewind."""

    @operation(answer=Rewind)
    def get(self, request: ActorRequest, rewind_id: UUID) -> Response:
        """Read it, with what is done and kept so far."""
        return Response(rewinds.get_rewind(actor=request.actor, rewind_id=rewind_id))


class RewindItems(View):
    """What a rewind does."""

    @operation(query=schemas.ListRewindItems, answer=Page[RewindItem], problems=(BadCursor,))
    def get(self, request: ActorRequest, rewind_id: UUID) -> Response:
        """Read a page of it, item by item; `outcome=kept` lists what stays as it is, and why."""
        query = request.query_as(schemas.ListRewindItems)
        return Response(
            rewinds.list_rewind_items(
                actor=request.actor,
                rewind_id=rewind_id,
                outcome=query.outcome,
                limit=query.limit,
                cursor=query.cursor,
            )
        )


class RewindRun(View):
    """The execution of a rewind."""

    @operation(answer=jobs.Job, status=202, problems=(errors.RewindOver,))
    def post(self, request: ActorRequest, rewind_id: UUID) -> Response:
        """Have a job carry it out, or go on where one was canceled or has failed. Repeatable: an unfinished job is answered again.

        What somebody has changed since it was planned is kept. No bytes move; the versions that come back take room, as any version does.
        """
        job = rewinds.start_rewind(actor=request.actor, rewind_id=rewind_id)
        return Response(job, status=202, headers={"Location": f"/api/v1/jobs/{job.id}"})


class RewindUndo(View):
    """The way back."""

    @operation(answer=Rewind, status=201, repeatable=True, problems=(errors.RewindNotBegun, errors.HistoryBehind))
    def post(self, request: ActorRequest, rewind_id: UUID) -> Response:
        """Plan to take back all that a rewind has done: a rewind of its own, which `/rewinds/{id}/run` carries out.

        What somebody changed after it stays.
        """
        return self.repeatable(request, lambda: rewinds.plan_undo(actor=request.actor, rewind_id=rewind_id))


def _plan(actor: Actor, folder_id: UUID | None, body: schemas.PlanRewind) -> Rewind:
    return rewinds.plan_rewind(
        actor=actor,
        folder_id=folder_id,
        since=body.since,
        until=body.until,
        by_kind=body.by_kind or "",
        by_id=body.by_id,
    )
