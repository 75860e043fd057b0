"""Scheduled tasks of sync: delete snapshots and sets of scopes that nobody uses any more, and the old end of the journal."""

from celery import shared_task

from apps.sync import operations, scope_sets, snapshots


@shared_task(name="sync.sweep")  # type: ignore[untyped-decorator] # celery has no types
def sweep() -> dict[str, int]:
    """Drop one tenant's old snapshots and sets, and trim its journal; returns how much."""
    return {"snapshots": snapshots.sweep(), "sets": scope_sets.sweep(), "changes": operations.trim_journal()}
