"""Scheduled work of notifications."""

from celery import shared_task

from apps.notifications import digests, forgetting, holding


@shared_task(name="notifications.send_digests")  # type: ignore[untyped-decorator] # celery has no types
def send_digests() -> int:
    """Write down the digests of one tenant that are due, and the mails that waited for the end of quiet hours; returns how many."""
    return holding.send_due() + digests.send_due()


@shared_task(name="notifications.forget")  # type: ignore[untyped-decorator] # celery has no types
def forget() -> int:
    """Delete what one tenant does not need to remember any more; returns how many entries."""
    return forgetting.forget_old()
