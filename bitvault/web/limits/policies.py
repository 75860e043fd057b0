"""The table of limits: each policy lets a burst of ``quota`` through, and ``quota / window_seconds`` a second from then on.

``BITVAULT_LIMITS`` overrides it for an installation: ``read=2000/5,address=50/10`` changes those two, ``off`` lifts all limits.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from django.conf import settings


class RouteClass(StrEnum):
    """What a route costs and whom it serves."""

    READ = "read"
    WRITE = "write"
    UPLOAD = "upload"
    HEAVY = "heavy"
    SIGN_IN = "sign-in"
    PUBLIC = "public"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Policy:
    """A generic cell rate: one request takes ``seconds_each`` of a window of ``window_seconds``."""

    name: str
    quota: int
    window_seconds: int
    seconds_each: float = field(init=False)
    """How much of the window one request takes."""
    text: str = field(init=False)
    """The policy as an item of ``RateLimit-Policy``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds_each", self.window_seconds / self.quota)
        object.__setattr__(self, "text", f'"{self.name}";q={self.quota};w={self.window_seconds}')


TENANT, USER, ADDRESS, FAILURES = "tenant", "user", "address", "failures"

DEFAULTS = {
    policy.name: policy
    for policy in (
        # What a tenant, and a person by all tokens and sessions together, may ask of the whole installation.
        Policy(TENANT, 15_000, 5),
        Policy(USER, 7_500, 5),
        # What one token or session may ask of the routes of a class.
        Policy(RouteClass.READ, 5_000, 5),
        Policy(RouteClass.WRITE, 5_000, 5),
        Policy(RouteClass.UPLOAD, 5_000, 5),
        Policy(RouteClass.HEAVY, 120, 60),
        # What an address may ask without a credential: an office behind one signs in at nine o'clock.
        Policy(ADDRESS, 1_000, 10),
        Policy(RouteClass.SIGN_IN, 120, 60),
        # What an address may ask of pages that anybody may see who has their address.
        Policy(RouteClass.PUBLIC, 600, 10),
        # What an address may ask and be told that it is nobody, or that there is no such vault.
        Policy(FAILURES, 600, 30),
    )
}


def find_policy(name: str, *, tenant_id: UUID | None = None) -> Policy | None:
    """Find what counts for a tenant, or for strangers; None when nothing is limited.

    Every limit is looked up here, so that a plan can give its tenants limits of their own.
    """
    return _table().get(name)


def switched_on() -> bool:
    """Tell whether anything is limited."""
    return bool(_table())


@lru_cache(maxsize=1)
def _table() -> dict[str, Policy]:
    overrides: dict[str, tuple[int, int]] | None = settings.BITVAULT_LIMITS
    if overrides is None:
        return {}
    return DEFAULTS | {name: Policy(name, quota, window) for name, (quota, window) in overrides.items()}


def forget() -> None:
    """Read the settings anew when asked next."""
    _table.cache_clear()
