"""``manage.py remove_member``: somebody is put out of a tenant, and what they hold goes to a successor."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import api, people, queries
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.kernel.tenancy import Tenant


class Command(BaseCommand):
    """Put a person out; nothing that they have kept is deleted."""

    help = (
        "Put a person out of a tenant. Sessions and tokens end at once; jobs hand over what they hold to the successor."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("email")
        parser.add_argument("--successor", metavar="EMAIL", help="a member who takes over; an owner, unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = people.get_tenant(options["tenant"])
            heir = options["successor"]
            api.remove_member(
                tenant=tenant,
                user_id=_find(options["email"], tenant),
                successor_id=None if heir is None else _find(heir, tenant),
            )
        except BitVaultError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{options['email']} is not in {options['tenant']} any more")


def _find(email: str, tenant: Tenant) -> Any:
    person = queries.find_member_by_email(email, tenant)
    if person is None:
        raise NotFound(f"{email} is no member of {tenant.slug}.")
    return person.id
