"""``manage.py reseal_secrets``: seal everything that is sealed with the present key."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.identity import api as identity
from bitvault.kernel import resealing, tenancy
from bitvault.kernel.deadlines import background
from bitvault.kernel.resealing import Column, Counts
from bitvault.kernel.tenancy import Tenant

PASSES = 3
"""A process that had read a row before may have written it back as it was: what a pass has sealed anew, the next one looks at."""

TELL_SECONDS = 1.0


class Command(BaseCommand):
    """Seal with the present key what keys before it have sealed; killed, it is begun again and passes over what is done."""

    help = (
        "Seal everything that is sealed with the present BITVAULT_SECRET_KEY: secrets of object stores, webhooks, SIEM exports, settings, "
        "browsers. Exits with 1 when something cannot be read with any key that is named."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        counts: dict[Column, Counts] = {}
        with background():
            for _ in range(PASSES):
                found = self._pass()
                for column, one in found.items():
                    before = counts.setdefault(column, Counts())
                    before.resealed += one.resealed
                    before.current, before.unreadable = one.current, one.unreadable
                if not any(one.resealed for one in found.values()):
                    break
        for column, one in counts.items():
            self.stdout.write(
                f"{column}: {one.resealed} sealed anew, {one.current} in all, {one.unreadable} unreadable\n"
            )
        lost = [str(column) for column, one in counts.items() if one.unreadable and not column.is_history]
        if lost:
            raise CommandError(f"No key that is named opens some of {', '.join(lost)}: enter these secrets again.")

    def _pass(self) -> dict[Column, Counts]:
        counts: dict[Column, Counts] = defaultdict(Counts)
        tenants = identity.list_tenants()
        told_at = time.monotonic()
        for number, tenant in enumerate((None, *tenants)):
            for column, batch in _walk(tenant):
                counts[column].add(batch)
                if time.monotonic() - told_at >= TELL_SECONDS:
                    told_at = time.monotonic()
                    self._tell(number, len(tenants), counts)
        return counts

    def _tell(self, number: int, total: int, counts: dict[Column, Counts]) -> None:
        done = sum(one.resealed + one.current for one in counts.values())
        self.stderr.write(f"{number} of {total} tenants, {done} secrets\n")


def _walk(tenant: Tenant | None) -> Iterator[tuple[Column, Counts]]:
    """Seal what stands once for the installation anew, or what is in a tenant's schema."""
    columns: Sequence[Column] = resealing.list_columns()
    if tenant is None:
        for column in columns:
            if column.is_public:
                yield column, Counts()
                yield from ((column, batch) for batch in column.reseal(column))
        return
    with tenancy.entered(tenant):
        for column in columns:
            if not column.is_public:
                yield column, Counts()
                yield from ((column, batch) for batch in column.reseal(column))
