"""What operators are told of by mail: once when something of the installation is amiss, and once when it is well again."""

from collections.abc import Collection
from uuid import UUID

from apps.admin_platform.models import Alarm
from bitvault.kernel import clock, db
from bitvault.mail import api as mail

MAIL = "admin_platform.alarm"


def list_raised() -> list[str]:
    """List what is amiss now."""
    return list(Alarm.objects.filter(is_raised=True).order_by("key").values_list("key", flat=True))


def change(key: str, *, is_raised: bool, tell: Collection[UUID]) -> bool:
    """Note how something is and write to operators, in one transaction; nothing where it is so already. Tells whether it was other."""
    with db.public_transaction():
        row, _is_new = Alarm.objects.select_for_update().get_or_create(key=key, defaults={"changed_at": clock.now()})
        if row.is_raised == is_raised:
            return False
        row.is_raised, row.changed_at = is_raised, clock.now()
        row.save(update_fields=["is_raised", "changed_at"])
        for user_id in tell:
            mail.send(MAIL, reference=user_id, facts={"key": key, "is_raised": is_raised})
    return True
