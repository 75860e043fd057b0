"""``manage.py create_tenant``: a new tenant with its owner."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Make a tenant; whole or not at all."""

    help = "Make a tenant: its row, domain, schema, database role, event stream and owner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the first label of its address: 3 to 40 of a-z, 0-9 and -")
        parser.add_argument("--name", help="what people call it (the slug, unless given)")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-name", default="")
        parser.add_argument("--domain", help="a host name of its own that leads to it besides <slug>.<bare host>")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the owner's password from standard input, one line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ask = sys.stdin.readline if options["password_stdin"] else _ask
        try:
            tenant = api.create_tenant(
                slug=options["slug"],
                name=options["name"] or options["slug"],
                owner_email=options["owner_email"],
                owner_password=ask().rstrip("\n"),
                owner_name=options["owner_name"],
                domain=options["domain"],
            )
        except BitVaultError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{tenant.name} is ready at {tenant.url}")


def _ask() -> str:
    return getpass.getpass("Password of the owner: ")
