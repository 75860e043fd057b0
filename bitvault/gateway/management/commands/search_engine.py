"""``manage.py search_engine``: which engine answers the searches of each tenant, and building their indexes in OpenSearch."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api as identity
from apps.search import api as search
from bitvault.kernel import tenancy


class Command(BaseCommand):
    """Show how far each tenant is, or have indexes built by jobs; the operators' page of search tells how far these are."""

    help = (
        "Show which engine answers the searches of each tenant; with --build, have their indexes built in OpenSearch."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenants", nargs="*", help="slugs; without any, every active tenant")
        parser.add_argument("--build", action="store_true", help="build them beside those that are searched")

    def handle(self, *args: Any, **options: Any) -> None:
        known = {tenant.slug: tenant for tenant in identity.list_active_tenants()}
        unknown = set(options["tenants"]) - set(known)
        if unknown:
            raise CommandError(f"There is no active tenant {', '.join(sorted(unknown))}.")
        for slug in options["tenants"] or known:
            with tenancy.entered(known[slug]):
                if options["build"] and not search.build_outside_index():
                    raise CommandError("BITVAULT_SEARCH_ENGINE is not opensearch.")
                state = search.count_index()
            engine = "opensearch" if any(index.is_live for index in state.outside) else "postgresql"
            built = [f"{each.done_count} of {each.total_count} built" for each in state.outside if not each.is_live]
            asked = ["a build is asked for"] if options["build"] else []
            self.stdout.write(", ".join([f"{slug}: {engine}", f"{state.unsent_count} changes to send", *built, *asked]))
