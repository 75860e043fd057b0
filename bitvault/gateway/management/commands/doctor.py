"""``manage.py doctor``: what an operator could have got wrong, and how to mend it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bitvault.gateway import doctor

MARKS = {"good": "ok  ", "warning": "WARN", "bad": "BAD "}


class Command(BaseCommand):
    """Examine the installation; exit code 1 when something is bad."""

    help = "Check hosts, proxy headers, clocks, store, CORS, mail, disk, versions, migrations and queues; say how to mend what is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what was found, the worst first."""
        found = doctor.examine(probe_store=True)
        for one in found:
            self.stdout.write(f"{MARKS[one.level]} {one.check:<14} {one.fact}")
            if one.mend:
                self.stdout.write(f"{'':<20}{one.mend}")
        bad = sum(one.level == "bad" for one in found)
        if bad:
            raise CommandError(f"{bad} of {len(found)} findings are bad.")
        self.stdout.write("\nNothing is bad.")
