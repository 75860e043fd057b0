"""Scheduled tasks of billing."""

from celery import shared_task

from apps.billing import noting, operations, statements
from apps.billing.payment import arriving, reporting


@shared_task(name="billing.lapse_reservations")  # type: ignore[untyped-decorator] # celery has no types
def lapse_reservations() -> int:
    """End one tenant's promises of room that are past their time; returns how many."""
    return operations.lapse_expired()


@shared_task(name="billing.forget_refunds")  # type: ignore[untyped-decorator] # celery has no types
def forget_refunds() -> int:
    """Forget one tenant's refunds that nobody asks for again; returns how many."""
    return operations.forget_refunds()


@shared_task(name="billing.make_statements")  # type: ignore[untyped-decorator] # celery has no types
def make_statements() -> int:
    """Write one tenant's statements that are due; returns how many."""
    return statements.make_due()


@shared_task(name="billing.note_room")  # type: ignore[untyped-decorator] # celery has no types
def note_room() -> None:
    """Note where operators look at all tenants how much room one has and uses."""
    noting.note_room()


@shared_task(name="billing.look_after_payments", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def look_after_payments() -> int:
    """Have subscriptions asked for that nobody has heard of for a day, or whose time of grace nears its end; returns how many."""
    return arriving.look_after()


@shared_task(name="billing.request_usage_report")  # type: ignore[untyped-decorator] # celery has no types
def request_usage_report() -> bool:
    """Have one tenant's usage reported, where it is paid for by usage."""
    return reporting.request_report()
