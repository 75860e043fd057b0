"""What deferred work refuses, and how it ends when it does not end well."""

from bitvault.kernel.errors import BitVaultError, Conflict, ProgrammingError


class JobFinished(Conflict):
    """The job is done, or has failed; there is nothing left to cancel."""

    code = "jobs.finished"
    title = "This job has come to its end already"


class JobNotFailed(Conflict):
    """Only a job that has failed or was canceled is run again."""

    code = "jobs.not_failed"
    title = "This job has not failed"


class JobNotDone(Conflict):
    """What the job makes is there once it is done; fact: ``state``, how it stands."""

    code = "jobs.not_done"
    title = "This job is not done"


class JobFailed(BitVaultError):
    """The work raised an error that is not the caller's: operators see which, the caller does not."""

    code = "jobs.failed"
    status = 500
    title = "The work failed on our side"


class TookTooLong(BitVaultError):
    """A try of the job did not end within the time that its kind has."""

    code = "jobs.took_too_long"
    status = 504
    title = "The work took longer than it may"


class WorkerDied(BitVaultError):
    """The process that ran the job said nothing more; it was killed, or its machine is gone."""

    code = "jobs.worker_died"
    status = 500
    title = "The process that did the work died"


class Canceled(Exception):
    """Somebody has canceled the running job: its function ends here."""


class LeaseLost(Exception):
    """Another worker has the job by now: whatever this one still does must have no effect."""


class Stopped(Exception):
    """The worker is told to stop, or operators have stopped the kind: the job goes back into its lane, and the try does not count."""


class UnknownKind(ProgrammingError):
    """No function is registered for this kind of job, or it takes another payload."""
