"""Billing's own clockwork."""

from celery import shared_task

from apps.billing import operations


@shared_task(name="billing.lapse_reservations")  # type: ignore[untyped-decorator] # celery has no types
def lapse_reservations() -> int:
    """End one tenant's promises of room that are past their time; returns how many."""
    return operations.lapse_expired()
