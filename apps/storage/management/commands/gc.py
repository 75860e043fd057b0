"""``manage.py gc``: delete from the object store what no file holds any more."""

from typing import Any

from django.core.management.base import CommandParser

from apps.storage.management.running import StoreCommand
from apps.storage.operations import collecting


class Command(StoreCommand):
    """Collect what is due; the scheduler does so every five minutes."""

    help = "Tell which bytes no file holds any more and are due to be deleted; with --apply, delete them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--without-brakes", action="store_true", help="also when unusually much would go that no event explains"
        )

    def run(self, *, is_dry: bool, **options: Any) -> dict[str, int]:
        return collecting.collect(is_dry=is_dry, has_brakes=not options["without_brakes"])
