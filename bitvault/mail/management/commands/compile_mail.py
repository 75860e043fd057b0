"""``manage.py compile_mail``: HTML templates of mails from their MJML sources."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bitvault.mail import compiling


class Command(BaseCommand):
    """Writes the templates, or says which are out of date."""

    help = "Compile mails from MJML to the HTML templates beside them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a template is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = list(compiling.list_stale())
        if options["check"]:
            if stale:
                names = ", ".join(str(source) for source in stale)
                raise CommandError(f"Not compiled since they have changed: {names}. Run 'make mail'.")
            return
        for source in stale:
            compiling.target_of(source).write_text(compiling.compile_source(source), encoding="utf-8")
            self.stdout.write(f"compiled {source}")
