"""``manage.py rebuild``: make a derivation anew, as the stream's page does, for tenants that take longer than a task may."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api as identity
from bitvault.events import operating
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Rebuild what a consumer keeps from its owner's snapshot and the tail of the stream, beside the live one."""

    help = "Make what a consumer keeps anew, while it runs, for the tenants that are named or for all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("consumer", help=f"one of: {', '.join(operating.list_rebuildable())}")
        parser.add_argument("tenants", nargs="*", help="slugs; without any, every active tenant")

    def handle(self, *args: Any, **options: Any) -> None:
        known = {tenant.slug: tenant for tenant in identity.list_active_tenants()}
        unknown = set(options["tenants"]) - set(known)
        if unknown:
            raise CommandError(f"There is no active tenant {', '.join(sorted(unknown))}.")
        for slug in options["tenants"] or known:
            with tenancy.entered(known[slug]):
                try:
                    seq = operating.rebuild(consumer=options["consumer"], by=None)
                except BitVaultError as error:
                    raise CommandError(f"{slug}: {error.detail}") from error
            self.stdout.write(f"{slug}: rebuilt as of {seq}")
