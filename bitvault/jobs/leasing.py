"""Leases: which worker has which job. Every write about a running job names the try that runs, so one that was given up writes nothing.

Leases go by the database's clock, which is one for all workers. A try is counted when it begins, so a worker that dies in it has been
counted.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from prometheus_client import Counter

from bitvault.jobs import kinds, sql
from bitvault.jobs.errors import Canceled, LeaseLost, Stopped, WorkerDied
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock, db, ids
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.tasks import select_present

LEASE = timedelta(seconds=30)
"""How long a worker that says nothing more keeps its job."""

BACKOFF = timedelta(seconds=2)
"""Wait before the second try; it doubles with each, up to the longest."""

LONGEST_BACKOFF = timedelta(minutes=10)

ERROR_LIMIT = 2000
"""Characters of an error that are kept: enough for its first lines."""

_RESCUE_STEP = 100

FAILED = Counter("bitvault_jobs_failed_total", "Tries of jobs that failed", ["kind", "outcome"])

logger = structlog.get_logger(__name__)

_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Turn:
    """A tenant that has work in a lane (``None``: the installation itself), and what it has had."""

    tenant_id: UUID | None
    running_count: int
    served_at: datetime | None

    @property
    def rank(self) -> tuple[int, bool, datetime | None]:
        """Who has least running comes first, then who was served longest ago."""
        return (self.running_count, self.served_at is not None, self.served_at)


def list_turns(lane: str) -> list[Turn]:
    """List whose work is due in a lane, in the order in which they are served; tenants that are suspended or gone are left out."""
    with connection.cursor() as cursor:
        cursor.execute(sql.TURNS, {"lane": lane, "now": clock.now()})
        turns = [Turn(*row) for row in cursor.fetchall()]
    named = {turn.tenant_id for turn in turns if turn.tenant_id is not None}
    present: set[UUID | None] = {None, *(select_present(named) if named else ())}
    return sorted((turn for turn in turns if turn.tenant_id in present), key=lambda turn: turn.rank)


def lease(lane: str) -> Job | None:
    """Take the next job of a lane, each tenant in turn; ``None`` when nothing is due."""
    turns = list_turns(lane)
    offered = list_offered() if turns else []
    for turn in turns:
        taken = _take(lane, turn.tenant_id, offered)
        if taken is not None:
            return taken
    return None


def list_offered() -> list[str]:
    """List the kinds that are begun: those that this code knows (during an upgrade there may be others) and that are not stopped."""
    paused = set(PausedKind.objects.values_list("kind", flat=True))
    return [name for name in kinds.list_kinds() if name not in paused]


def _take(lane: str, tenant_id: UUID | None, offered: list[str]) -> Job | None:
    with db.public_transaction():
        due = Job.objects.filter(
            lane=lane, tenant_id=tenant_id, state=Job.State.QUEUED, run_at__lte=clock.now(), kind__in=offered
        )
        job = due.order_by("run_at", "id").select_for_update(skip_locked=True).first()
        if job is None:
            return None
        job.leased_by, job.tries = ids.new_id(), job.tries + 1
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.RUNNING,
            tries=job.tries,
            leased_by=job.leased_by,
            lease_until=Now() + LEASE,
            started_at=Now(),
        )
    return job


def _mine(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, leased_by=job.leased_by, state=Job.State.RUNNING)


def renew(job: Job, **progress: Any) -> None:
    """Say that a job runs still, and how far it is.

    :raises LeaseLost: another try has begun, or the job has ended.
    :raises Canceled: somebody wants it to end.
    :raises Stopped: operators have stopped its kind.
    """
    with db.public_transaction():
        if not _mine(job).update(lease_until=Now() + LEASE, **progress):
            raise LeaseLost
        is_paused = Exists(PausedKind.objects.filter(kind=OuterRef("kind")))
        canceled_at, is_stopped = Job.objects.values_list("cancel_requested_at", is_paused).get(pk=job.pk)
    if canceled_at is not None:
        raise Canceled
    if is_stopped:
        raise Stopped


def finish(job: Job, result: Any, *, total_count: int | None, done_count: int) -> None:
    """Write down the result, inside the open write transaction.

    :raises LeaseLost: another try has begun, or the job has ended: this one must have no effect.
    """
    now = clock.now()
    done = _mine(job).update(
        state=Job.State.DONE,
        result=result,
        done_count=done_count,
        total_count=total_count,
        problem=None,
        error="",
        checkpoint=None,
        lease_until=None,
        finished_at=now,
        expires_at=now + kinds.get_kind(job.kind).kept_for,
    )
    if not done:
        raise LeaseLost


def end_canceled(job: Job) -> None:
    """Let a job that runs be canceled."""
    with db.public_transaction():
        _cancel(_mine(job))


def put_back(job: Job) -> None:
    """Let another worker go on at once: this one is told to stop. The try does not count."""
    with db.public_transaction():
        _mine(job).update(
            state=Job.State.QUEUED, leased_by=None, lease_until=None, run_at=clock.now(), tries=F("tries") - 1
        )


def fail(job: Job, problem: BitVaultError, *, error: str, final: bool, also: Callable[[], None] = lambda: None) -> None:
    """Write down that a try failed: try again after a while, or park the job when it was the last one.

    :param final: another try would meet the same.
    :param also: what belongs to the end of a job that is parked.
    """
    with db.public_transaction():
        if _fail(_mine(job), job, problem, error=error, final=final):
            also()


def _fail(rows: QuerySet[Job], job: Job, problem: BitVaultError, *, error: str, final: bool) -> bool:
    """Write it down; tells whether the job is parked by it."""
    now, kind = clock.now(), kinds.get_kind(job.kind)
    told = {"problem": msgspec.to_builtins(problem.as_problem()), "error": error[:ERROR_LIMIT], "lease_until": None}
    parked = final or job.tries >= kind.tries
    if parked:
        changed = rows.update(state=Job.State.FAILED, finished_at=now, expires_at=now + kind.kept_for, **told)
    else:
        changed = rows.update(state=Job.State.QUEUED, leased_by=None, run_at=now + _backoff(job.tries), **told)
    FAILED.labels(kind=job.kind, outcome="parked" if parked else "tried again").inc()
    tell = logger.error if parked and not final else logger.warning
    tell("job_failed", kind=job.kind, job=job.pk.hex, tries=job.tries, parked=parked, error=error[:ERROR_LIMIT])
    return parked and changed > 0


def _backoff(tries: int) -> timedelta:
    """Give the wait after a number of tries: doubled each time, and spread so that what failed together is not tried together."""
    wait: timedelta = min(BACKOFF * 2 ** (tries - 1), LONGEST_BACKOFF)
    return wait * _random.uniform(0.5, 1.5)


def rescue() -> int:
    """Give jobs whose worker says nothing more to others, after the same wait as after an error; returns how many."""
    silent = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=Now(), kind__in=kinds.list_kinds())
    # Asked each second, and nearly always in vain.
    if not silent.exists():
        return 0
    with db.public_transaction():
        found = list(silent.select_for_update(skip_locked=True)[:_RESCUE_STEP])
        for job in found:
            if job.cancel_requested_at is not None:
                _cancel(_mine(job))
            else:
                died = WorkerDied()
                _fail(_mine(job), job, died, error=f"the worker of try {job.tries} died", final=False)
    return len(found)


def cancel(job_ids: Iterable[UUID]) -> int:
    """Cancel those of the jobs that have not ended: at once, or where one runs, as soon as it says how far it is; returns how many."""
    unfinished = Job.objects.filter(pk__in=list(job_ids), state__in=[Job.State.QUEUED, Job.State.RUNNING])
    # Locked first: none is taken by a worker between the one update and the other.
    chosen = Job.objects.filter(pk__in=[job.pk for job in unfinished.order_by("pk").select_for_update()])
    running = chosen.filter(state=Job.State.RUNNING).update(cancel_requested_at=clock.now())
    return running + _cancel(chosen.filter(state=Job.State.QUEUED))


def _cancel(rows: QuerySet[Job]) -> int:
    now = clock.now()
    canceled = {"state": Job.State.CANCELED, "lease_until": None, "finished_at": now}
    # Of several kinds: each is kept for its own time.
    kept = {name: kinds.get_kind(name).kept_for for name in kinds.list_kinds()}
    return sum(
        rows.filter(kind=name).update(**canceled, expires_at=now + kept.get(name, kinds.KEPT_FOR))
        for name in set(rows.values_list("kind", flat=True))
    )


def retry(job_ids: Iterable[UUID]) -> int:
    """Run those of the jobs again that have failed or were canceled, with all their tries before them; returns how many.

    One whose work somebody asks for already, by a later job of the same key, is left as it is.
    """
    count = 0
    ended = Job.objects.filter(pk__in=list(job_ids), state__in=[Job.State.FAILED, Job.State.CANCELED])
    for job in ended.select_for_update():
        twins = Job.objects.filter(kind=job.kind, tenant_id=job.tenant_id, key=job.key)
        if twins.filter(Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING)).exists():
            continue
        count += Job.objects.filter(pk=job.pk).update(
            state=Job.State.QUEUED,
            tries=0,
            problem=None,
            error="",
            leased_by=None,
            run_at=clock.now(),
            cancel_requested_at=None,
            finished_at=None,
            expires_at=None,
        )
    return count


def sweep(*, step: int = 1000) -> int:
    """Delete finished jobs past their time; returns how many."""
    count = 0
    while True:
        with db.public_transaction():
            due = list(Job.objects.filter(expires_at__lt=clock.now()).values_list("pk", flat=True)[:step])
            Job.objects.filter(pk__in=due).delete()
        count += len(due)
        if len(due) < step:
            return count


def count_due(lane: str, limit: int) -> int:
    """Count jobs of a lane that a worker would take now, up to ``limit``."""
    turns = list_turns(lane)
    if not turns:
        return 0
    tenants = Q(tenant_id__in=[turn.tenant_id for turn in turns if turn.tenant_id is not None])
    if any(turn.tenant_id is None for turn in turns):
        tenants |= Q(tenant_id=None)
    due = Job.objects.filter(
        tenants, lane=lane, state=Job.State.QUEUED, run_at__lte=clock.now(), kind__in=list_offered()
    )
    return due[:limit].count()
