"""How the pages of a tenant look: its logo and its colours, for templates that know of no module."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel.tenancy import Tenant


@dataclass(frozen=True, slots=True)
class Brand:
    """Where the logo and the style sheet of a tenant's colours are; empty: it looks as BitVault does."""

    logo_url: str = ""
    accent_url: str = ""


PLAIN = Brand()


@cache
def _finder() -> Callable[[Tenant], Brand]:
    return cast("Callable[[Tenant], Brand]", import_string(settings.BITVAULT_BRAND_FINDER))


def find_brand(tenant: Tenant | None) -> Brand:
    """Find how a tenant looks (``settings.BITVAULT_BRAND_FINDER``); no query. Where there is none, it is BitVault."""
    return PLAIN if tenant is None else _finder()(tenant)
