"""What operators do with jobs: run failed ones again, cancel, stop a kind; and the figures of what waits."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q

from bitvault.jobs import calling, kinds, leasing
from bitvault.jobs.dtos import Backlog
from bitvault.jobs.kinds import list_kinds, list_lanes
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock, db
from bitvault.kernel.tasks import select_present

__all__ = [
    "Backlog",
    "cancel",
    "count_failed",
    "list_backlogs",
    "list_kinds",
    "list_lanes",
    "list_paused",
    "list_results",
    "retry",
]


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
