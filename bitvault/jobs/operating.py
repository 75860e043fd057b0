"""What operators do with jobs: run failed ones again, cancel, stop a kind; and the figures of what waits."""

import dataclasses
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Count, Min, Q

from bitvault.jobs import calling, kinds, leasing
from bitvault.jobs.dtos import UNFINISHED, Backlog, OperatedJob, Requester
from bitvault.jobs.kinds import list_kinds, list_lanes
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock, db
from bitvault.kernel.tasks import select_present

__all__ = [
    "Backlog",
    "OperatedJob",
    "cancel",
    "count_by_state",
    "count_failed",
    "has_unfinished",
    "list_backlogs",
    "list_jobs",
    "list_kinds",
    "list_lanes",
    "list_paused",
    "list_results",
    "retry",
    "run_again",
]

AT_ONCE = 1000
"""Jobs that one press of a button runs again: a night's mails, and a transaction that ends."""


def retry(*, job_ids: Iterable[UUID]) -> int:
    """Run those of the jobs again that have failed or were canceled; returns how many."""
    with db.public_transaction() as tx:
        count = leasing.retry(job_ids)
        for lane in list_lanes():
            tx.after_commit(lambda lane=lane: calling.nudge(lane))  # type: ignore[misc] # a lambda's default has no type
    return count


def cancel(*, job_ids: Iterable[UUID]) -> int:
    """Cancel those of the jobs that have not ended; returns how many."""
    with db.public_transaction():
        return leasing.cancel(job_ids)


def run_again(*, kind: str, operator_id: UUID, job_ids: Collection[UUID] | None = None) -> int:
    """Run jobs of one kind again that have failed or were canceled: these, or all that have failed. The operators' journal names them.

    Returns how many there were.
    """
    rows = Job.objects.filter(kind=kind)
    if job_ids is None:
        rows = rows.filter(state=Job.State.FAILED)
    else:
        rows = rows.filter(pk__in=job_ids, state__in=[Job.State.FAILED, Job.State.CANCELED])
    chosen = list(rows.order_by("id")[:AT_ONCE])
    count = retry(job_ids=[job.pk for job in chosen])
    LogEntry.objects.log_actions(operator_id, chosen, CHANGE, change_message="Run again.")
    return count


def list_jobs(
    *, kind: str, state: str = "", name: str = "", among: Collection[UUID] | None = None, offset: int, limit: int
) -> tuple[int, list[OperatedJob]]:
    """Read a page of the jobs of one kind, latest first, and how many there are; two queries.

    :param name: what stands as ``name`` in their payload.
    :param among: of these tenants alone.
    """
    rows = Job.objects.filter(kind=kind).order_by("-id")
    if state:
        rows = rows.filter(state=state)
    if name:
        rows = rows.filter(payload__name=name)
    if among is not None:
        rows = rows.filter(tenant_id__in=among)
    fields = [field.name for field in dataclasses.fields(OperatedJob)]
    return rows.count(), [OperatedJob(**values) for values in rows.values(*fields)[offset : offset + limit]]


def has_unfinished(*, kind: str, by: Requester, besides: UUID | None = None) -> bool:
    """Tell whether a job of a kind that somebody has asked for waits or runs, in whatever tenant.

    :param besides: this one does not count.
    """
    rows = Job.objects.filter(kind=kind, created_by_kind=by.kind, created_by_id=by.id, state__in=UNFINISHED)
    return (rows if besides is None else rows.exclude(pk=besides)).exists()


def count_by_state(*, kind: str) -> dict[str, int]:
    """Count the jobs of one kind by state; a state that none has counts 0; one query."""
    found = dict(Job.objects.filter(kind=kind).order_by().values_list("state").annotate(count=Count("pk")))
    return {state.value: found.get(state.value, 0) for state in Job.State}


def list_paused() -> dict[str, str]:
    """List the kinds that operators have stopped, each with the reason that was given."""
    return dict(PausedKind.objects.order_by("kind").values_list("kind", "reason"))


def list_results(*, kind: str, since: datetime) -> list[Any]:
    """List what jobs of a kind that were asked for since a moment have found, of all tenants."""
    # Ids rise with time: a range of the primary key, however long jobs are kept.
    first_id = UUID(int=int(since.timestamp() * 1000) << 80)
    rows = Job.objects.filter(id__gte=first_id, kind=kind, state=Job.State.DONE)
    return list(rows.values_list("result", flat=True))


def list_backlogs() -> list[Backlog]:
    """Tell what waits of each kind, what runs and what has failed, in two queries whatever their number.

    Suspended tenants are left out: nobody could do what they have before they are back.
    """
    now = clock.now()
    due = Q(state=Job.State.QUEUED, run_at__lte=now)
    counts = list(
        Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED])
        .values_list("kind", "tenant_id")
        .annotate(
            queued_count=Count("pk", filter=due),
            running_count=Count("pk", filter=Q(state=Job.State.RUNNING)),
            failed_count=Count("pk", filter=Q(state=Job.State.FAILED)),
            oldest_at=Min("run_at", filter=due),
        )
    )
    concerned = {tenant_id for _, tenant_id, *_ in counts if tenant_id is not None}
    present = {None, *(select_present(concerned) if concerned else ())}
    backlogs = []
    for name in sorted({*kinds.list_kinds(), *(kind for kind, *_ in counts)}):
        rows = [rest for kind, tenant_id, *rest in counts if kind == name and tenant_id in present]
        since = min((oldest for *_, oldest in rows if oldest is not None), default=now)
        backlogs.append(
            Backlog(
                kind=name,
                queued_count=sum(queued for queued, *_ in rows),
                running_count=sum(running for _, running, *_ in rows),
                failed_count=sum(failed for _, _, failed, _ in rows),
                oldest_seconds=max(0.0, (now - since).total_seconds()),
            )
        )
    return backlogs


def count_failed(*, among: Collection[UUID]) -> dict[UUID, int]:
    """Count the jobs of these tenants that have failed for good; tenants without one are left out."""
    rows = Job.objects.filter(state=Job.State.FAILED, tenant_id__in=list(among)).values_list("tenant_id")
    return {tenant_id: count for tenant_id, count in rows.annotate(count=Count("pk")) if tenant_id is not None}


def forget_tenant(*, tenant_id: UUID) -> None:
    """Delete all jobs of a tenant that is deleted, done or not; done again it changes nothing."""
    with db.public_transaction():
        Job.objects.filter(tenant_id=tenant_id).delete()
