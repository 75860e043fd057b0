"""``manage.py move_tenant``: bring a tenant's objects to another object store."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.storage import api
from apps.storage.management.running import find_store, find_tenant
from bitvault.kernel import tenancy
from bitvault.kernel.deadlines import background
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Tell what a move would bring, begin one, cancel it, or tell how far it is."""

    help = "Tell what moving a tenant to another object store would bring there; --apply begins it, and workers do it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug or host name of the tenant")
        parser.add_argument(
            "store", nargs="?", help="name of the object store; - is the installation's own; without it: how far it is"
        )
        parser.add_argument("--apply", action="store_true", help="begin it; without this nothing is changed")
        parser.add_argument(
            "--cancel", action="store_true", help="cancel the move that is under way, as long as it has not switched"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with background(), tenancy.entered(find_tenant(options["tenant"])):
            try:
                self._do(options)
            except BitVaultError as error:
                raise CommandError(error.detail) from error

    def _do(self, options: dict[str, Any]) -> None:
        if options["cancel"]:
            api.cancel_move(operator_id=None)
        elif options["store"] is not None:
            store_id = find_store(options["store"])
            plan = api.plan_move(store_id=store_id)
            self.stdout.write(
                f"{plan.object_count} objects, {plan.size_bytes} bytes; {plan.on_their_way_count} uploads on their way follow\n"
            )
            if not options["apply"]:
                self.stdout.write("Nothing was changed; --apply begins it.\n")
                return
            api.start_move(store_id=store_id, operator_id=None)
        found = api.find_move()
        if found is None:
            self.stdout.write("There was no move.\n")
            return
        name = found.store_name or "the installation's own"
        self.stdout.write(
            f"to {name}: {found.state}, {found.copied_count} of {found.total_count} objects, "
            f"{found.copied_bytes} of {found.total_bytes} bytes, {found.left_count} left behind\n"
        )
