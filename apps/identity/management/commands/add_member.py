"""``manage.py add_member``: somebody is let into a tenant at once, without a mail."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api, people
from bitvault.kernel.actor import MEMBER_ROLES, Role
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Let a person in whose address the operator vouches for."""

    help = (
        "Let a person into a tenant. Somebody new gets the password that is asked for; somebody known keeps their own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("email")
        parser.add_argument("--role", choices=[role.value for role in MEMBER_ROLES], default=Role.MEMBER.value)
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input, one line"
        )
        parser.add_argument("--no-password", action="store_true", help="they choose one by “Forgot your password?”")

    def handle(self, *args: Any, **options: Any) -> None:
        ask = sys.stdin.readline if options["password_stdin"] else _ask
        password = None if options["no_password"] else ask().rstrip("\n")
        try:
            member = api.add_member(
                tenant=people.get_tenant(options["tenant"]),
                email=options["email"],
                role=Role(options["role"]),
                name=options["name"],
                password=password,
            )
        except BitVaultError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{member.user.email} is in {options['tenant']} as {member.role.value}")


def _ask() -> str:
    return getpass.getpass("Password (of somebody new): ")
