"""Tables of deferred work (schema ``public``)."""

from django.db import models

from bitvault.kernel.models import PublicModel, id_field


class Job(PublicModel):
    """Work that a transaction has asked for. Holds ids and counts, and no personal data: a job reads what it needs when it runs."""

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    id = id_field()
    tenant_id = models.UUIDField(null=True)
    """Whose work it is; empty for the installation's own."""
    kind = models.CharField(max_length=60)
    lane = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    """What exactly is wanted: one unfinished job of a kind and tenant has it."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    payload = models.JSONField()
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(null=True)
    checkpoint = models.JSONField(null=True)
    """Where a further try may go on; of the kind's own making."""
    result = models.JSONField(null=True)
    problem = models.JSONField(null=True)
    """The problem (RFC 9457) that the last try met, as the caller is told it."""
    error = models.TextField(blank=True)
    """The same as operators are told it."""
    tries = models.PositiveSmallIntegerField(default=0)
    """Tries begun, also those whose worker died without a word."""
    leased_by = models.UUIDField(null=True)
    """The try that runs: a new id each time, so that a worker that was given up for dead can write nothing."""
    lease_until = models.DateTimeField(null=True)
    run_at = models.DateTimeField()
    """Not before this moment: wanted so, or the backoff after a failure."""
    cancel_requested_at = models.DateTimeField(null=True)
    created_by_kind = models.CharField(max_length=10)
    created_by_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    """When the last try began."""
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    """When a finished one is swept."""

    class Meta:
        db_table = "jobs_job"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "tenant_id", "key"],
                name="jobs_job_once",
                condition=models.Q(state__in=["queued", "running"]),
                nulls_distinct=False,
            ),
        ]
        indexes = [
            # Which tenants have work in this lane, and what is the next of one of them?
            models.Index(
                fields=["lane", "tenant_id", "run_at", "id"],
                name="jobs_job_queued",
                condition=models.Q(state="queued"),
            ),
            # How many run for this tenant in this lane? And of all that run, whose worker says nothing more?
            models.Index(fields=["lane", "tenant_id"], name="jobs_job_running", condition=models.Q(state="running")),
            # When was this tenant last served in this lane?
            models.Index(fields=["lane", "tenant_id", "-started_at"], name="jobs_job_turn"),
            # What has this person asked for, latest first?
            models.Index(fields=["tenant_id", "created_by_id", "-id"], name="jobs_job_person"),
            # What has this tenant asked for, latest first?
            models.Index(fields=["tenant_id", "-id"], name="jobs_job_tenant"),
            # What became of this work last time?
            models.Index(fields=["tenant_id", "kind", "key", "-id"], name="jobs_job_latest"),
            # What is to be swept?
            models.Index(fields=["expires_at"], name="jobs_job_expired", condition=models.Q(expires_at__isnull=False)),
            # What has failed, for operators and their figures?
            models.Index(fields=["kind"], name="jobs_job_failed", condition=models.Q(state="failed")),
        ]


class PausedKind(PublicModel):
    """A kind of job that operators have stopped: nothing of it is begun, and what runs goes back into its lane at its next report."""

    kind = models.CharField(max_length=60, primary_key=True)
    reason = models.TextField(blank=True)
    paused_at = models.DateTimeField()

    class Meta:
        db_table = "jobs_paused_kind"

    def __str__(self) -> str:
        """Name it as the operators' journal does."""
        return f"{self.kind}: {self.reason}"
