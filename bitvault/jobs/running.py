"""Running a job: its function is called in its tenant, its lease is renewed meanwhile, and how it ends is written down."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any
from uuid import UUID

import msgspec
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error as AnyDatabaseError
from django.db import connection

from bitvault.jobs import dtos, kinds, leasing, queueing
from bitvault.jobs.errors import Canceled, JobFailed, LeaseLost, Stopped, TookTooLong
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import BitVaultError, TooManyRequests, Unavailable
from bitvault.kernel.request import set_request_id
from bitvault.kernel.tasks import TenantGone, find_tenant

RENEW_SECONDS = 8.0
"""How often the lease of a job is renewed that does not report: three times within the lease."""

TELL_SECONDS = 0.5
"""The least time between two writes of progress."""

SERVER_ERROR = 500

TOLD_AFTER = timedelta(seconds=10)
"""Of work that took less its end is not told: whoever asked for it has seen it."""

ENDED = "jobs.ended"
"""What kinds follow that hear of the end of long jobs; the payload has ``job_id``, ``kind``, ``user_id`` and ``state``."""

logger = structlog.get_logger(__name__)


class _Overtime(Exception):
    """The time of a try is over."""


stopping = threading.Event()
"""Set when this process is told to stop."""


class Run:
    """A try of a job, as its function sees it."""

    def __init__(self, job: Job, *, timeout: timedelta) -> None:
        self._job = job
        self._deadline = time.monotonic() + timeout.total_seconds()
        self._told_at = -TELL_SECONDS
        self._end: type[Exception] | None = None
        self.is_complete = False
        self.done_count = 0
        self.total_count: int | None = None
        self.checkpoint: Any = job.checkpoint
        """What an earlier try has left with ``report``; ``None`` for one that begins."""

    @property
    def job_id(self) -> UUID:
        """The job's id."""
        return self._job.pk

    @property
    def tries(self) -> int:
        """Which try this is, from 1."""
        return self._job.tries

    @property
    def requester(self) -> dtos.Requester:
        """Who wants it."""
        return dtos.Requester(self._job.created_by_kind, self._job.created_by_id)  # type: ignore[arg-type] # no other is stored

    def report(self, done_count: int, total_count: int | None = None, *, checkpoint: Any = None) -> None:
        """Say how far the job is, and learn whether it is to go on. To be called often: it writes at most twice a second.

        Inside a transaction nothing is written; whether to go on is answered all the same.

        :param checkpoint: where another try may go on (plain data); it replaces the earlier one.
        :raises Canceled: somebody has canceled the job.
        :raises LeaseLost: another worker has it.
        :raises TookTooLong: its time is over.
        :raises Stopped: the worker is told to stop, or operators have stopped the kind: the job goes back into its lane.
        """
        self.done_count = done_count
        self.total_count = total_count if total_count is not None else self.total_count
        if checkpoint is not None:
            self.checkpoint = checkpoint
        if self._end is not None:
            raise self._end
        if stopping.is_set():
            raise Stopped
        now = time.monotonic()
        if now >= self._deadline:
            raise TookTooLong
        if now - self._told_at >= TELL_SECONDS and db.find_open() is None:
            self._told_at = now
            leasing.renew(self._job, done_count=done_count, total_count=self.total_count, checkpoint=self.checkpoint)

    def complete(self, result: Any = None) -> None:
        """End the job inside the open write transaction, together with its effect: both stand or fall, so the effect happens once.

        :raises NoTransaction: none is open.
        :raises LeaseLost: another worker has the job; the transaction must fail.
        """
        tx = db.require_writing()
        leasing.finish(self._job, _plain(result), done_count=self.done_count, total_count=self.total_count)
        _tell_end(self._job, "done")
        tx.after_commit(self._note_completion)

    def _note_completion(self) -> None:
        self.is_complete = True

    def keep_lease(self, ended: threading.Event) -> None:
        """Renew the lease until the job ends, its time is over, or somebody wants it to end."""
        while not ended.wait(RENEW_SECONDS) and time.monotonic() < self._deadline + RENEW_SECONDS:
            try:
                leasing.renew(self._job)
            except (Canceled, LeaseLost, Stopped) as end:
                self._end = type(end)
                if self._end is LeaseLost:
                    return
            except AnyDatabaseError as error:
                logger.warning("lease_not_renewed", job=self._job.pk.hex, error=type(error).__name__)
            finally:
                connection.close()


_running: ContextVar[Run | None] = ContextVar("bitvault_job", default=None)


def report_progress(done_count: int, total_count: int | None = None) -> None:
    """Say how far the running job is, from deep inside its work; outside of a job this does nothing.

    :raises Canceled: somebody has canceled the job.
    :raises LeaseLost: another worker has it.
    :raises TookTooLong: its time is over.
    """
    run = _running.get()
    if run is not None:
        run.report(done_count, total_count)


def run_next(lane: str) -> bool:
    """Run the next job of a lane, if one is due; tells whether one was."""
    job = leasing.lease(lane)
    if job is None:
        return False
    run_leased(job)
    return True


def run_leased(job: Job) -> None:
    """Run a job that was leased, and write down how it ended."""
    kind = kinds.get_kind(job.kind)
    run = Run(job, timeout=kind.timeout)
    token = _running.set(run)
    set_request_id(str(ids.new_id()))
    try:
        with _in_tenant(job.tenant_id), _lease_kept(run), _time_limit(kind.timeout):
            result = kind.work(msgspec.convert(job.payload, kind.payload), run)
        if not run.is_complete:
            with _in_tenant(job.tenant_id), db.public_transaction():
                leasing.finish(job, _plain(result), done_count=run.done_count, total_count=run.total_count)
                _tell_end(job, "done")
    except Canceled:
        leasing.end_canceled(job)
    except Stopped:
        leasing.put_back(job)
    except LeaseLost:
        logger.warning("job_lease_lost", kind=job.kind, job=job.pk.hex, tries=job.tries)
    except (_Overtime, SoftTimeLimitExceeded):
        _fail(job, TookTooLong(), error=f"not done within {kind.timeout}", final=False)
    except BitVaultError as error:
        # What is refused now is refused again; a service that does not answer may do so later.
        passing = error.status >= SERVER_ERROR or isinstance(error, (Unavailable, TooManyRequests))
        _fail(job, error, error=f"{type(error).__name__}: {error}", final=not passing)
    except Exception as error:
        logger.exception("job_raised", kind=job.kind, job=job.pk.hex)
        _fail(job, JobFailed(), error=f"{type(error).__name__}: {error}", final=False)
    finally:
        set_request_id(None)
        _running.reset(token)


def _fail(job: Job, problem: BitVaultError, *, error: str, final: bool) -> None:
    with suppress(TenantGone), _in_tenant(job.tenant_id):
        leasing.fail(job, problem, error=error, final=final, also=partial(_tell_end, job, "failed"))
        return
    leasing.fail(job, problem, error=error, final=final)


def _tell_end(job: Job, state: dtos.State) -> None:
    """Let others know, in the open transaction, that a job has ended that somebody will have stopped waiting for."""
    if not kinds.get_kind(job.kind).tells_end or job.created_by_kind != "user":
        return
    if job.tenant_id is None or clock.now() - job.created_at < TOLD_AFTER:
        return
    facts = {"job_id": job.pk, "kind": job.kind, "user_id": job.created_by_id, "state": state}
    queueing.enqueue_following(ENDED, facts, key=job.pk.hex, by=dtos.SYSTEM)


def _plain(result: Any) -> Any:
    return msgspec.to_builtins(result)


@contextmanager
def _in_tenant(tenant_id: UUID | None) -> Iterator[None]:
    with tenancy.left() if tenant_id is None else tenancy.entered(find_tenant(tenant_id)):
        yield


@contextmanager
def _lease_kept(run: Run) -> Iterator[None]:
    """Renew the lease by a thread meanwhile: single statements of a job may take longer than a lease."""
    ended = threading.Event()
    keeper = threading.Thread(target=run.keep_lease, args=(ended,), name="job-lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


@contextmanager
def _time_limit(limit: timedelta) -> Iterator[None]:
    """Interrupt what runs in the main thread, where workers run jobs, once its time is over."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise _Overtime

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit.total_seconds())
    try:
        yield
    finally:
        with suppress(_Overtime):
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
