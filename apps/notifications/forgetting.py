"""What is old goes: entries, which mails were sent for them, and browsers that nobody is told in any more."""

from datetime import timedelta

from apps.notifications import browsers
from apps.notifications.models import Delivery, Entry, ReadMark
from bitvault.kernel import clock, db

AGE = timedelta(days=90)
"""How long what happened is told: longer than anybody is on leave. The audit log keeps it for good."""

BATCH = 2_000


def forget_old() -> int:
    """Delete what is past its age from the entered tenant; returns how many entries."""
    before = clock.now() - AGE
    count = 0
    while True:
        with db.write_transaction():
            old = list(
                Entry.objects.filter(occurred_at__lt=before)
                .order_by("occurred_at")
                .values_list("pk", flat=True)[:BATCH]
            )
            ReadMark.objects.filter(entry_id__in=old).delete()
            count += Entry.objects.filter(pk__in=old).delete()[0]
        if len(old) < BATCH:
            break
    with db.write_transaction():
        Delivery.objects.filter(created_at__lt=before).delete()
    browsers.forget_old()
    return count
