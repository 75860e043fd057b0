"""The door of deferred work.

``enqueue`` is no ordinary door: it runs inside the caller's transaction on purpose, for the wish is part of the change that has it.
"""

from uuid import UUID

from django.db.models import QuerySet

from bitvault.jobs import dtos, kinds, leasing
from bitvault.jobs.dtos import SYSTEM, Job, Requester
from bitvault.jobs.errors import Canceled, JobFinished
from bitvault.jobs.kinds import job_kind
from bitvault.jobs.lanes import BULK, SHORT
from bitvault.jobs.models import Job as JobRow
from bitvault.jobs.queueing import enqueue, enqueue_all, enqueue_following, to_dto
from bitvault.jobs.running import ENDED, Run, report_progress
from bitvault.kernel import db, pages, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission

__all__ = [
    "BULK",
    "ENDED",
    "SHORT",
    "SYSTEM",
    "Canceled",
    "Job",
    "Requester",
    "Run",
    "cancel_job",
    "enqueue",
    "enqueue_all",
    "enqueue_following",
    "find_latest",
    "get_job",
    "job_kind",
    "list_jobs",
    "report_progress",
]

_PURPOSE = "jobs"


@exposed
def list_jobs(
    *,
    actor: Actor,
    kind: str | None = None,
    state: dtos.State | None = None,
    cursor: str | None = None,
    limit: int = PAGE_DEFAULT,
) -> Page[Job]:
    """List jobs, newest first: those that the actor has asked for; administrators see all of the tenant.

    Kinds for which the actor's credential does not do are left out.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    pages.require_limit(limit)
    rows = _visible(actor).order_by("-id")
    if kind is not None:
        rows = rows.filter(kind=kind)
    if state is not None:
        rows = rows.filter(state=state)
    if cursor is not None:
        rows = rows.filter(id__lt=UUID(pages.decode_cursor(_PURPOSE, cursor)[0]))
    found = list(rows[: limit + 1])
    items = [to_dto(row) for row in found[:limit]]
    return Page(items, pages.encode_cursor(_PURPOSE, [items[-1].id.hex]) if len(found) > limit else None)


@exposed
def get_job(*, actor: Actor, job_id: UUID) -> Job:
    """Read a job that the actor may see.

    :raises NotFound: there is none.
    """
    return to_dto(_get(actor, job_id))


@exposed
def cancel_job(*, actor: Actor, job_id: UUID) -> None:
    """Cancel a job: at once where it waits, and where it runs as soon as it looks up. Repeatable.

    :raises NotFound: there is none that the actor may see.
    :raises JobFinished: it is done, or has failed.
    """
    job = _get(actor, job_id)
    with db.public_transaction():
        canceled = leasing.cancel([job.pk])
    if not canceled and _get(actor, job_id).state != JobRow.State.CANCELED:
        raise JobFinished


@exposed
def find_latest(*, kind: str, key: str) -> Job | None:
    """Find the entered tenant's last job of a kind and key, whether it has ended or not."""
    row = JobRow.objects.filter(tenant_id=tenancy.current().id, kind=kind, key=key).order_by("-id").first()
    return None if row is None else to_dto(row)


def _visible(actor: Actor) -> QuerySet[JobRow]:
    rows = JobRow.objects.filter(tenant_id=actor.tenant.id)
    hidden = [name for name in kinds.list_kinds() if kinds.get_kind(name).scope not in actor.scopes]
    if hidden:
        rows = rows.exclude(kind__in=hidden)
    return (
        rows
        if actor.may(Permission.MANAGE_SETTINGS)
        else rows.filter(created_by_kind="user", created_by_id=actor.user_id)
    )


def _get(actor: Actor, job_id: UUID) -> JobRow:
    row = _visible(actor).filter(pk=job_id).first()
    if row is None:
        raise NotFound
    return row
