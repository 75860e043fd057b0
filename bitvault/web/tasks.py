"""Scheduled tasks of the toolkit."""

from celery import shared_task

from bitvault.web import idempotency


@shared_task(name="web.sweep_idempotency_keys")  # type: ignore[untyped-decorator] # celery has no types
def sweep_idempotency_keys() -> int:
    """Forget the idempotency keys of one tenant that are past their day; returns how many."""
    return idempotency.sweep()
