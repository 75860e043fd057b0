"""``manage.py doctor``: what an operator could have got wrong, and how to mend it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from bitvault.gateway import doctor
from bitvault.gateway.findings import Finding

MARKS = {"good": "ok  ", "warning": "WARN", "bad": "BAD "}

BAD, WARNINGS = 1, 2
"""Exit codes; 0 is everything in order, and without ``--strict`` also what is merely worth a look."""


class Command(BaseCommand):
    """Examine the installation; exit code 1 when something is bad, 2 for warnings with ``--strict``."""

    help = (
        "Check everything that can be set wrong, and say how to mend it. Exit code 0: nothing is bad; 1: something is;"
        " 2 (with --strict): nothing is bad, and something is worth a look."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer machines their form, and operators parts of it."""
        parser.add_argument("--json", action="store_true", help="one JSON object: level, counts and findings")
        parser.add_argument("--strict", action="store_true", help="exit code 2 when there are warnings")
        parser.add_argument("--only", action="append", default=[], metavar="CHECK", help="this check alone; repeatable")
        languages = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=languages, default=settings.LANGUAGE_CODE, help="of what is written")
        parser.add_argument(
            "--no-probe", action="store_true", help="write no object into the store: read its last probe"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what was found, the worst first."""
        with translation.override(options["language"]):
            self._examine(options)

    def _examine(self, options: dict[str, Any]) -> None:
        known = doctor.list_checks()
        unknown = [name for name in options["only"] if name not in known]
        if unknown:
            raise CommandError(f"There is no check {unknown[0]}. There are: {', '.join(known)}.")
        found = doctor.examine(only=options["only"], probe_store=not options["no_probe"])
        counts = {level: sum(one.level == level for one in found) for level in doctor.LEVELS}
        if options["json"]:
            worst = next(level for level in doctor.LEVELS if counts[level])
            told = {"level": worst, "counts": counts, "findings": [asdict(one) for one in found]}
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            self._write(found)
        if counts["bad"]:
            raise CommandError(doctor.say_bad(counts["bad"], len(found)), returncode=BAD)
        if counts["warning"] and options["strict"]:
            raise CommandError(doctor.say_worth(counts["warning"], len(found)), returncode=WARNINGS)
        if not options["json"]:
            self.stdout.write(f"\n{doctor.say_good()}")

    def _write(self, found: Sequence[Finding]) -> None:
        for one in found:
            self.stdout.write(f"{MARKS[one.level]} {one.check:<14} {one.fact}")
            if one.mend:
                self.stdout.write(f"{'':<20}{one.mend}")
