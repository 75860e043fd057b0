"""What operators are told of backups without asking their target."""

from datetime import datetime

from django.db.models import F

from bitvault.backup.manifest import Manifest
from bitvault.backup.models import BackupRun
from bitvault.kernel import clock, db


def begin(backup_id: str, *, target: str) -> None:
    """Write down that a backup is being made, or is gone on with."""
    with db.public_transaction():
        BackupRun.objects.filter(state=BackupRun.State.RUNNING).exclude(id=backup_id).update(
            state=BackupRun.State.FAILED, finished_at=clock.now(), reason="It was interrupted; another one was begun."
        )
        BackupRun.objects.update_or_create(
            id=backup_id,
            defaults={"target": target, "state": BackupRun.State.RUNNING, "finished_at": None, "reason": ""},
            create_defaults={"target": target, "started_at": clock.now()},
        )


def finish(manifest: Manifest) -> None:
    """Write down that a backup is whole."""
    with db.public_transaction():
        BackupRun.objects.filter(id=manifest.id).update(
            state=BackupRun.State.DONE,
            tenant_count=len(manifest.tenants),
            database_bytes=manifest.database_bytes,
            object_count=manifest.object_count,
            object_bytes=manifest.object_bytes,
            copied_bytes=manifest.copied_bytes,
            lost_count=manifest.lost_count,
            finished_at=clock.now(),
        )


def fail(backup_id: str, reason: str) -> None:
    """Write down why a backup has come to no end."""
    with db.public_transaction():
        BackupRun.objects.filter(id=backup_id).update(
            state=BackupRun.State.FAILED, reason=reason[:2000], finished_at=clock.now()
        )


def find_last() -> BackupRun | None:
    """Find the last backup that came to its end."""
    return BackupRun.objects.filter(state=BackupRun.State.DONE).order_by("-finished_at").first()


def was_begun_since(moment: datetime) -> bool:
    """Tell whether a backup was begun after a moment that has not failed."""
    return BackupRun.objects.filter(started_at__gte=moment).exclude(state=BackupRun.State.FAILED).exists()


def end_interrupted() -> None:
    """Say of runs that a restored database shows as running that they are over: they show the very backup that it came from."""
    with db.public_transaction():
        BackupRun.objects.filter(state=BackupRun.State.RUNNING).update(
            state=BackupRun.State.DONE, finished_at=F("started_at"), reason="Restored from this one."
        )
