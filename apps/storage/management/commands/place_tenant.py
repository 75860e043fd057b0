"""``manage.py place_tenant``: in which object store a tenant's new bytes are kept."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.storage import api
from apps.storage.management.running import find_store, find_tenant
from bitvault.kernel import tenancy
from bitvault.kernel.deadlines import background
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Place a tenant, or tell where it is placed."""

    help = "Keep a tenant's new bytes in another object store; without a store, tell in which ones it has bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug or host name of the tenant")
        parser.add_argument("store", nargs="?", help="name of the object store; - is the installation's own")

    def handle(self, *args: Any, **options: Any) -> None:
        with background(), tenancy.entered(find_tenant(options["tenant"])):
            if options["store"] is not None:
                try:
                    api.place_tenant(store_id=find_store(options["store"]), operator_id=None)
                except BitVaultError as error:
                    raise CommandError(error.detail) from error
            for one in api.list_holdings(stores=api.list_stores()):
                mark = "*" if one.is_current else " "
                name = one.store.name or "the installation's own"
                self.stdout.write(
                    f"{mark} {name}: {one.object_count} objects, {one.size_bytes} bytes, {one.in_flight_count} uploads on their way\n"
                )
