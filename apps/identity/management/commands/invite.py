"""``manage.py invite``: somebody is invited into a tenant by mail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import people, roles
from apps.identity.operations import invitations
from bitvault.kernel.actor import MEMBER_ROLES, Role
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Invite an address, in nobody's name."""

    help = "Invite an address into a tenant: a mail is sent, whose code is good for seven days and one use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("email")
        parser.add_argument("--role", choices=[role.value for role in MEMBER_ROLES], default=Role.MEMBER.value)
        parser.add_argument("--message", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = invitations.invite(
                tenant=people.get_tenant(options["tenant"]),
                email=options["email"],
                choice=roles.Choice(Role(options["role"])),
                message=options["message"],
                invited_by=None,
            )
        except BitVaultError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(
            f"{made.email} is invited to {options['tenant']} until {made.expires_at:%Y-%m-%d %H:%M} (UTC)"
        )
