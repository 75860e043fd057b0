"""What the commands over the object store have in common: which tenants, dry unless told otherwise, and what a run says of itself."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api as identity
from apps.storage import places
from bitvault.kernel import tenancy
from bitvault.kernel.deadlines import background
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.tenancy import Tenant

OWN = "-"
"""Names the installation's own store."""


class StoreCommand(BaseCommand):
    """A run over the bytes of one tenant, or of each."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", nargs="?", help="slug or host name of the tenant; without it, each active one")
        parser.add_argument("--apply", action="store_true", help="do it; without this nothing is changed")

    def run(self, *, is_dry: bool, **options: Any) -> dict[str, int]:
        """Run in the entered tenant; returns what was done, or would be, by name."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry = not options.pop("apply")
        failed = []
        for tenant in _choose(options.pop("tenant")):
            try:
                with background(), tenancy.entered(tenant):
                    counts = self.run(is_dry=is_dry, **options)
            except BitVaultError as error:
                failed.append(tenant.slug)
                self.stderr.write(f"{tenant.slug}: {error.detail}\n")
                continue
            told = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
            self.stdout.write(f"{tenant.slug}: {told or 'nothing to do'}\n")
        if is_dry:
            self.stdout.write("Nothing was changed; --apply does it.\n")
        if failed:
            raise CommandError(f"It did not come to its end for {', '.join(failed)}.")


def _choose(name: str | None) -> list[Tenant]:
    if name is None:
        return list(identity.list_active_tenants())
    return [find_tenant(name)]


def find_tenant(name: str) -> Tenant:
    """Find a tenant by its slug or host name."""
    tenant = identity.find_tenant_by_host(host=name if "." in name else f"{name}.{settings.BITVAULT_BASE_HOST}")
    if tenant is None:
        raise CommandError(f"There is no active tenant {name}.")
    return tenant


def find_store(name: str) -> UUID | None:
    """Find a store by its name."""
    if name == OWN:
        return None
    found = [place.id for place in places.list_all() if place.name == name]
    if not found:
        raise CommandError(f"There is no object store {name}.")
    return found[0]
