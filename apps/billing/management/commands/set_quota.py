"""``manage.py set_quota``: another plan or another limit for a tenant."""

import re
from collections.abc import Callable
from typing import Any, Literal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.billing import api
from apps.identity import api as identity
from bitvault.kernel import tenancy
from bitvault.kernel.errors import BitVaultError

_UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
_SIZE = re.compile(r"([0-9]+)\s*(|[KMGT]iB)")
_LIMIT_BYTES = 2**63 - 1
DAYS_LIMIT = 3650
COUNT_LIMIT = 2**31 - 1
COUNTED = ("members", "guests", "links")


class Command(BaseCommand):
    """Set a tenant's plan and limit."""

    help = "Give a tenant another plan, a limit of its own, or the plan's limit again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug or host name of the tenant")
        parser.add_argument("--plan", help="slug of the plan; without it the plan stays")
        limit = parser.add_mutually_exclusive_group(required=True)
        limit.add_argument("--limit", help="bytes, or a number with KiB, MiB, GiB or TiB")
        limit.add_argument("--limit-of-plan", action="store_true", help="no limit of its own")
        parser.add_argument("--largest-file", help="a size like --limit's, or 'plan'; without it nothing changes")
        parser.add_argument("--trash-days", help="days in the trash, or 'plan'; without it nothing changes")
        for name in COUNTED:
            parser.add_argument(f"--{name}", help="how many there may be, or 'plan'; without it nothing changes")

    def handle(self, *args: Any, **options: Any) -> None:
        limit_bytes = None if options["limit_of_plan"] else _read_size(options["limit"])
        name = options["tenant"]
        host = name if "." in name else f"{name}.{settings.BITVAULT_BASE_HOST}"
        tenant = identity.find_tenant_by_host(host=host)
        if tenant is None:
            raise CommandError(f"There is no active tenant {name}.")
        with tenancy.entered(tenant):
            try:
                api.set_quota(
                    plan=options["plan"],
                    limit_bytes=limit_bytes,
                    file_limit_bytes=_read_figure(options["largest_file"], _read_size),
                    trash_days=_read_figure(options["trash_days"], _read_days),
                    member_limit=_read_figure(options["members"], _read_count),
                    guest_limit=_read_figure(options["guests"], _read_count),
                    link_limit=_read_figure(options["links"], _read_count),
                )
            except BitVaultError as error:
                raise CommandError(error.detail) from error
        kept = "the plan's" if limit_bytes is None else f"{limit_bytes} bytes"
        self.stdout.write(f"{tenant.name}: the limit is {kept}.")


def _read_figure(text: str | None, read: Callable[[str], int]) -> int | Literal["unchanged"] | None:
    if text is None:
        return "unchanged"
    return None if text == "plan" else read(text)


def _read_count(text: str) -> int:
    if not text.isdecimal() or int(text) > COUNT_LIMIT:
        raise CommandError(f"Members, guests and links are numbers up to {COUNT_LIMIT}.")
    return int(text)


def _read_days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= DAYS_LIMIT:
        raise CommandError(f"Days in the trash are a number from 1 to {DAYS_LIMIT}.")
    return int(text)


def _read_size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise CommandError("A limit reads like 500000000 or 20GiB.")
    size = int(found[1]) * _UNITS[found[2]]
    if size > _LIMIT_BYTES:
        raise CommandError("No quota is that large.")
    return size
