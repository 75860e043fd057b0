"""Scheduled work of scanning."""

from celery import shared_task

from apps.scanning import operations


@shared_task(name="scanning.request_backlog")  # type: ignore[untyped-decorator] # celery has no types
def request_backlog() -> bool:
    """Have scanned what is due in one tenant; tells whether something is."""
    return operations.request_backlog()
