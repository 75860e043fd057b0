"""``manage.py openapi``: write the OpenAPI document, or check that the committed one is true."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bitvault.gateway.openapi import COMMITTED, build_document
from bitvault.settings.env import ROOT


class Command(BaseCommand):
    """Keep ``docs/openapi.json`` and the code alike."""

    help = "Write docs/openapi.json, or with --check fail when it differs from the code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 when the file is not what the code says"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        document = build_document()
        if options["check"]:
            if not COMMITTED.exists() or COMMITTED.read_bytes() != document:
                raise CommandError(
                    f"{self._shown(COMMITTED)} is not what the code says; run `make openapi` and look at the difference"
                )
            return
        COMMITTED.parent.mkdir(exist_ok=True)
        COMMITTED.write_bytes(document)
        self.stdout.write(f"wrote {self._shown(COMMITTED)}")

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(ROOT))
