"""``manage.py scrub``: read objects again and compare their hashes."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from apps.storage.management.running import StoreCommand
from apps.storage.operations import scrubbing


class Command(StoreCommand):
    """Read what is due; the scheduler does so every day."""

    help = "Read objects again and tell whose bytes are others; with --apply, put them into quarantine, or let out what is whole again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--blob", type=UUID, help="id of one blob, whenever it was read last")
        which.add_argument("--everything", action="store_true", help="all of them, whenever they were read last")

    def run(self, *, is_dry: bool, **options: Any) -> dict[str, int]:
        return scrubbing.scrub(is_dry=is_dry, blob_id=options["blob"], everything=options["everything"])
