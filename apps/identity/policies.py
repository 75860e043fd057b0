"""What a tenant lets its people do: its policies are read, resolved and kept here, whoever asks.

A policy holds for everybody, administrators too; they can change it. Where one names "administrators", it means who may do that. What a
role does not allow is refused first: a policy never gives more than the role.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from apps.identity import dtos, models
from apps.identity.errors import DomainNotAllowed, PolicyForbids
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.file_rules import FileRules
from bitvault.kernel.permissions import Permission
from bitvault.kernel.remembered import Remembered

DAY = timedelta(days=1)
"""Ends are chosen by the day: one that lies in the last day allowed is not refused for its hour."""

_remembered: Remembered[UUID, dtos.Policies] = Remembered()


def forget_remembered() -> None:
    """Make this process ask the database again: policies were changed here."""
    _remembered.forget()


def find(tenant_id: UUID) -> dtos.Policies:
    """Find a tenant's policies, at most 0.8 s old."""
    return _remembered.get(tenant_id, lambda: _ask(tenant_id)) or dtos.Policies()


def _ask(tenant_id: UUID) -> dtos.Policies:
    return read(models.Tenant.objects.filter(pk=tenant_id).values_list("policies", flat=True).first())


def read(stored: Any) -> dtos.Policies:
    """Give what is stored; a policy that nobody has set is as a new tenant has it."""
    return msgspec.convert(stored or {}, dtos.Policies)


def find_file_rules() -> FileRules:
    """Give what the entered tenant's policies say of files that come in (``kernel.file_rules``)."""
    policies = find(tenancy.current().id)
    return FileRules(policies.file_types, policies.file_extensions, policies.largest_file_bytes)


def resolve(actor: Actor) -> dtos.Permitted:
    """Tell what the policies leave to one person."""
    policies = find(actor.tenant.id)
    outside = policies.share_outside == "members" or (
        policies.share_outside == "administrators" and actor.may(Permission.MANAGE_SETTINGS)
    )
    outside = outside and not actor.is_guest
    return dtos.Permitted(
        make_links=outside and policies.links_allowed and actor.may(Permission.MAKE_LINKS),
        invite_members=actor.may(Permission.INVITE_MEMBERS),
        invite_guests=outside
        and actor.may(Permission.SHARE_OUTSIDE)
        and (
            policies.guests == "members"
            or (policies.guests == "administrators" and actor.may(Permission.MANAGE_SETTINGS))
        ),
    )


def require_link(actor: Actor, *, has_password: bool, expires_at: datetime | None) -> None:
    """Refuse a link that the policies do not allow.

    :raises PermissionMissing: the actor's role makes no links.
    :raises PolicyForbids: they forbid it, or ask for a password, an end, or an earlier one.
    """
    actor.require_permission(Permission.MAKE_LINKS)
    policies = find(actor.tenant.id)
    if not policies.links_allowed:
        raise PolicyForbids("This vault makes no links.", policy="links_allowed")
    _require_outside(actor, policies)
    if policies.link_password_required and not has_password:
        raise PolicyForbids("Links of this vault need a password.", policy="link_password_required", field="password")
    _require_end(policies, expires_at)


def require_guest(actor: Actor, *, email: str, expires_at: datetime | None) -> None:
    """Refuse to share with a guest, here already or invited by it, where the policies do not allow it.

    :raises PolicyForbids: they forbid it, or ask for an end, or an earlier one.
    :raises DomainNotAllowed: guests come from other domains.
    """
    actor.require_permission(Permission.SHARE_OUTSIDE)
    policies = find(actor.tenant.id)
    _require_outside(actor, policies)
    if policies.guests == "nobody":
        raise PolicyForbids("This vault has no guests.", policy="guests")
    if policies.guests == "administrators" and not actor.may(Permission.MANAGE_SETTINGS):
        raise PolicyForbids("Only administrators invite guests.", policy="guests")
    _require_domain_of(email, policies.guest_domains)
    _require_end(policies, expires_at)


def _require_outside(actor: Actor, policies: dtos.Policies) -> None:
    if policies.share_outside == "nobody":
        raise PolicyForbids("This vault shares nothing with people outside.", policy="share_outside")
    if policies.share_outside == "administrators" and not actor.may(Permission.MANAGE_SETTINGS):
        raise PolicyForbids("Only administrators share with people outside.", policy="share_outside")


def _require_end(policies: dtos.Policies, expires_at: datetime | None) -> None:
    """Refuse an end that is missing or too late, for what goes outside.

    :raises PolicyForbids: the policies want another one.
    """
    longest = policies.longest_days
    if expires_at is None and (policies.expiry_required or longest is not None):
        raise PolicyForbids(
            "Whatever this vault shares with people outside needs an end.", policy="expiry_required", field="expires_at"
        )
    if longest is not None and expires_at is not None and expires_at > clock.now() + longest * DAY + DAY:
        raise PolicyForbids(
            "The end is later than this vault allows.", policy="longest_days", field="expires_at", longest_days=longest
        )


def require_domain(tenant_id: UUID, email: str) -> None:
    """Refuse an address whose domain the tenant invites no members from.

    :raises DomainNotAllowed: it names others.
    """
    _require_domain_of(email, find(tenant_id).allowed_domains)


def require_guest_domain(tenant_id: UUID, email: str) -> None:
    """Refuse an address whose domain the tenant has no guests from.

    :raises DomainNotAllowed: it names others.
    """
    _require_domain_of(email, find(tenant_id).guest_domains)


def _require_domain_of(email: str, allowed: tuple[str, ...]) -> None:
    if allowed and email.rpartition("@")[2] not in allowed:
        raise DomainNotAllowed(domains=list(allowed))
