"""Holding deletions back: while a backup copies objects, none that its snapshot names may leave the store.

The hold comes first, the snapshot after it. The collector reads what it will delete, then looks for holds, then deletes: where it found
none, what it had read was condemned before the hold began, and so is condemned in every later snapshot, which therefore does not name it.
Condemning goes on meanwhile. A hold ends by itself when its owner has died, so the store cannot fill up for good.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from apps.storage.models import DeletionHold
from bitvault.kernel import db, ids


def hold(*, reason: str, lasts: timedelta) -> UUID:
    """Begin a hold; returns its id. Those that ended by themselves are forgotten."""
    hold_id = ids.new_id()
    with db.public_transaction():
        DeletionHold.objects.filter(held_until__lte=Now()).delete()
        DeletionHold.objects.create(id=hold_id, reason=reason, held_until=Now() + lasts)
    return hold_id


def renew(hold_id: UUID, *, lasts: timedelta) -> bool:
    """Put the end of a hold off; false when it has ended meanwhile: then objects may have gone."""
    with db.public_transaction():
        alive = DeletionHold.objects.filter(id=hold_id, held_until__gt=Now())
        return bool(alive.update(held_until=Now() + lasts))


def release(reason: str) -> None:
    """End all holds of a reason, also those whose owner has died."""
    with db.public_transaction():
        DeletionHold.objects.filter(reason=reason).delete()


def is_held() -> bool:
    """Tell whether deletions are held back now. To be asked after what is to be deleted was read."""
    return DeletionHold.objects.filter(held_until__gt=Now()).exists()
