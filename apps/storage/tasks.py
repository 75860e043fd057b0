"""Storage's own clockwork."""

from celery import shared_task

from apps.storage.operations import sweeping


@shared_task(name="storage.sweep_uploads")  # type: ignore[untyped-decorator] # celery has no types
def sweep_uploads() -> int:
    """Sweep the abandoned uploads of one tenant; returns how many attempts were visited."""
    return sweeping.sweep()
