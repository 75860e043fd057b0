"""``manage.py begin_epoch``: after the database was brought back to an earlier moment."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.identity import api as identity
from apps.sync import api as sync
from bitvault.kernel import tenancy


class Command(BaseCommand):
    """Let no cursor of any device fit any more. Can be repeated; each time devices take one more snapshot."""

    help = "Send the devices of all tenants to a fresh snapshot: some have seen what a restored database does not know."

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = identity.list_tenants()
        for tenant in tenants:
            with tenancy.entered(tenant):
                sync.begin_epoch()
        self.stdout.write(f"The feeds of {len(tenants)} tenants have begun a new epoch.")
