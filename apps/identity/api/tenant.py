"""Doors to the tenant itself: what its administrators set, and the policies that other modules keep."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.identity import policies, provisioning
from apps.identity.dtos import Policies, TenantSettings
from apps.identity.operations import settings
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant


@exposed
def get_tenant_settings(*, actor: Actor) -> TenantSettings:
    """Read the actor's tenant: its name, language, zone and policies, and what these leave to the actor."""
    return settings.show(actor)


@exposed
def update_tenant(
    *,
    actor: Actor,
    name: str | None = None,
    locale: str | None = None,
    time_zone: str | None = None,
    accent: tuple[str, str | None] | None = None,
    policies: dict[str, Any] | None = None,
) -> TenantSettings:
    """Change the actor's tenant; what is left out stays, and of the policies those that are not named.

    :param accent: colours on light and on dark pages (``#rrggbb``), the latter made of the former where it is ``None``; empty: BitVault's.
    :raises PermissionMissing: the actor does not manage its settings.
    :raises InvalidLabel, InvalidLocale, InvalidTimeZone, InvalidDomain, InvalidPolicy, ColourUnfit: that value cannot be used.
    """
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_SETTINGS)
    settings.update(actor=actor, name=name, locale=locale, time_zone=time_zone, accent=accent, changes=policies or {})
    return settings.show(actor)


@exposed
def find_policies(*, tenant: Tenant) -> Policies:
    """Find what a tenant lets its people do; at most 0.8 s old."""
    return policies.find(tenant.id)


@exposed
def require_link_allowed(*, actor: Actor, has_password: bool, expires_at: datetime | None) -> None:
    """Refuse to make a link, or to change one into such a one, where the tenant's policies do not allow it.

    :raises PolicyForbids: they forbid it, or ask for a password, an end, or an earlier one; the fact ``policy`` names which.
    """
    policies.require_link(actor, has_password=has_password, expires_at=expires_at)


@exposed
def prepare_restore(*, tenant_ids: Collection[UUID]) -> None:
    """Make what no dump of a schema brings, unless it is there: PostgreSQL's extensions, and the database roles of tenants."""
    provisioning.prepare_restore(tenant_ids)
