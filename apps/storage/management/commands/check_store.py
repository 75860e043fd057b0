"""``manage.py check_store``: what the configured object store can do."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.storage import conformance
from apps.storage.errors import StoreFull, StoreUnavailable
from apps.storage.management.running import find_store
from bitvault.kernel.deadlines import background


class Command(BaseCommand):
    """Probe the configured object store; exit code 1 when something lacks that BitVault cannot do without."""

    help = "Probe the configured object store and tell what it can do. Exits with 1 when a required ability lacks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name", nargs="?", help="name of a store under “Object stores”; without it, the environment's own"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with background():
                report = conformance.probe_configured(options["name"] and find_store(options["name"]))
        except StoreUnavailable as error:
            raise CommandError(f"The object store does not answer: {error.__cause__}") from error
        except StoreFull as error:
            raise CommandError("The object store's disk is full, so nothing can be tried.") from error
        self.stdout.write(f"{report.store}\ndownloads asked for at {report.downloads_url}\n\n")
        for finding in report.findings:
            mark = "yes" if finding.is_there else "NO" if finding.is_required else "no"
            need = "required" if finding.is_required else "useful"
            without = "" if finding.is_there else f" (without it: {finding.asked.answer})"
            self.stdout.write(f"  {mark:<4} {need:<9} {finding.ability:<24} {finding.asked.meaning}{without}\n")
        if not report.is_fit:
            lacking = ", ".join(finding.ability for finding in report.lacking if finding.is_required)
            raise CommandError(f"BitVault must not use this store: it lacks {lacking}.")
        self.stdout.write("\nBitVault can use this store.\n")
