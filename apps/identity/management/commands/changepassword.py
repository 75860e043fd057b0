"""``manage.py changepassword``: another password for a person, in place of Django's command, which ends nothing that the old one opened."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Set a password, and end all sessions and tokens of its person."""

    help = "Give a person another password; all their sessions and tokens, in every tenant, end with the old one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the e-mail address that the person signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass("New password: ")
        if getpass.getpass("The same again: ") != password:
            raise CommandError("The two passwords are not the same.")
        try:
            api.replace_password(email=options["email"], new_password=password)
        except BitVaultError as error:
            raise CommandError(error.detail) from error
        self.stdout.write("The password is changed; all sessions and tokens have ended.")
