"""``manage.py reconcile``: compare what the object store holds with what the database says of it."""

from typing import Any

from django.core.management.base import CommandParser

from apps.storage.management.running import StoreCommand
from apps.storage.operations import reconciling


class Command(StoreCommand):
    """Compare objects and rows; the scheduler does so every day."""

    help = "Tell which objects nothing names and which are missing or of another size; with --apply, delete the former."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--without-brakes", action="store_true", help="also when unusually much would be deleted")

    def run(self, *, is_dry: bool, **options: Any) -> dict[str, int]:
        return reconciling.reconcile(is_dry=is_dry, has_brakes=not options["without_brakes"])
