"""``manage.py reseal_secrets``: seal the secrets of object stores with the present key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.storage import places
from apps.storage.models import Store
from bitvault.kernel import sealing


class Command(BaseCommand):
    """Seal with the present key what keys before it have sealed; exit code 1 when none of them opens one."""

    help = (
        "Seal the secrets of object stores with the present BITVAULT_SECRET_KEY. Exits with 1 when one cannot be read."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        lost, count = [], 0
        for row in Store.objects.order_by("name"):
            try:
                sealed = sealing.reseal(row.sealed_secret, purpose=places.PURPOSE)
            except sealing.Unreadable:
                lost.append(row.name)
                continue
            # Only if nobody has entered another secret meanwhile.
            count += Store.objects.filter(id=row.id, sealed_secret=row.sealed_secret).update(sealed_secret=sealed)
        places.forget()
        self.stdout.write(f"Sealed anew: {count}.\n")
        if lost:
            raise CommandError(f"No key that is named here opens the secrets of {', '.join(lost)}: enter them again.")
