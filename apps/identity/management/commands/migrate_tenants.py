"""``manage.py migrate_tenants``: public, template and every tenant behind, in that order."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from apps.identity import provisioning
from bitvault.events.api import ensure_cursors


class Command(BaseCommand):
    """Bring the whole database up to the code. May be killed and run again; tenants that are current cost nothing."""

    help = "Migrate the public schema, the template of new tenants, and every tenant that is behind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only tell whether something is behind (exit code 1)")

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"] - 1
        if options["check"]:
            self._check()
            return
        failed = []
        with provisioning.as_owner():
            provisioning.migrate_public(verbosity=verbosity)
            provisioning.migrate_template(verbosity=verbosity)
            behind = provisioning.list_tenants_behind()
            for tenant in behind:
                try:
                    provisioning.migrate_tenant(tenant, verbosity=verbosity)
                except DatabaseError as error:
                    failed.append(f"{tenant.slug}: {error}")
        ensure_cursors()
        if failed:
            raise CommandError("these tenants could not be migrated and stay as they were:\n" + "\n".join(failed))
        if options["verbosity"]:
            self.stdout.write(f"The database follows the code; {len(behind)} tenants were migrated.")

    def _check(self) -> None:
        behind = provisioning.list_tenants_behind()
        if behind:
            raise CommandError(f"{len(behind)} tenants are behind; run manage.py migrate_tenants")
