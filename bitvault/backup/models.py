"""The one table of backups."""

from django.db import models

from bitvault.kernel.models import PublicModel


class BackupRun(PublicModel):
    """A backup that was begun here, wherever it lies: what operators see without asking its target."""

    class State(models.TextChoices):
        """Where it stands."""

        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.CharField(primary_key=True, max_length=40)
    """The backup's name in its target."""
    target = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    tenant_count = models.IntegerField(default=0)
    database_bytes = models.BigIntegerField(default=0)
    object_count = models.BigIntegerField(default=0)
    object_bytes = models.BigIntegerField(default=0)
    copied_bytes = models.BigIntegerField(default=0)
    """What this one brought that no earlier one had."""
    lost_count = models.BigIntegerField(default=0)
    """Objects that the store did not have, or not as they should be."""
    reason = models.TextField(blank=True)
    """Why it failed."""
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "backup_run"
        indexes = [
            # Which was the last one that came to its end?
            models.Index(fields=["state", "-finished_at"], name="backup_run_last"),
        ]

    def __str__(self) -> str:
        return self.id
