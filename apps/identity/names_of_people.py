"""Names of people as lists show them, remembered by this process for a minute: no page waits for what changes once a year."""

import time
from collections.abc import Collection
from uuid import UUID

from apps.identity import people
from bitvault.kernel.tenancy import Tenant

LIFETIME_SECONDS = 60
SIZE_LIMIT = 20_000
"""Names; full, all are forgotten."""

_names: dict[tuple[UUID, UUID], tuple[float, str]] = {}


def find(tenant: Tenant, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name those of some people who are members of a tenant."""
    oldest = time.monotonic() - LIFETIME_SECONDS
    found: dict[UUID, str] = {}
    missing = []
    for user_id in set(user_ids):
        kept = _names.get((tenant.id, user_id))
        if kept is not None and kept[0] > oldest:
            found[user_id] = kept[1]
        else:
            missing.append(user_id)
    if missing:
        fresh = {one.user.id: one.user.name or one.user.email for one in people.find_members(tenant, missing)}
        if len(_names) + len(fresh) > SIZE_LIMIT:
            _names.clear()
        now = time.monotonic()
        _names.update({(tenant.id, user_id): (now, name) for user_id, name in fresh.items()})
        found.update(fresh)
    return found


def forget() -> None:
    """Forget all names."""
    _names.clear()
